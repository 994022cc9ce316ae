# Installing packages so that nothing asks, nothing starts, and what was interrupted
# before is finished first. Sourced after prelude.sh.

# hold_services keeps packages from starting services: invoke-rc.d(8) asks policy-rc.d,
# and 101 forbids. A policy that the host has is put aside and comes back.
hold_services() {
	[ -e "$state/policy-held" ] && return 0
	if [ -e /usr/sbin/policy-rc.d ]; then cp -a -T /usr/sbin/policy-rc.d "$state/policy-kept"; fi
	: >"$state/policy-held"
	sync "$state"
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 0755 /usr/sbin/policy-rc.d
}

release_services() {
	[ -e "$state/policy-held" ] || return 0
	if [ -e "$state/policy-kept" ]; then mv -f -T "$state/policy-kept" /usr/sbin/policy-rc.d
	else rm -f /usr/sbin/policy-rc.d; fi
	rm -f "$state/policy-held"
}

# apt_lists_free waits for the locks that DPkg::Lock::Timeout does not cover.
apt_lists_free() {
	tries=0
	while ! apt-get check -q >/dev/null 2>"$run/apt" && grep -q 'Could not get lock\|Unable to lock' "$run/apt"; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || { cat "$run/apt" >&2; return 100; }
		[ $tries -gt 1 ] || sed 's/^/waiting: /' "$run/apt" >&2
		sleep 2
	done
}

# apt runs apt-get with no terminal, no input, no question: the files that are there win
# over the package's (dpkg(1), --force-confold), and needrestart restarts without asking.
apt() {
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none apt-get -q -y \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# update fetches the package lists. apt locks them for itself and does not wait (the lock
# of the lists is not dpkg's), so this does.
update() {
	tries=0
	until apt -o APT::Update::Error-Mode=any update >"$run/apt" 2>&1; do
		grep -q 'Unable to lock' "$run/apt" && [ $tries -lt 60 ] || { cat "$run/apt" >&2; return 100; }
		[ $tries -gt 0 ] || sed 's/^/waiting: /' "$run/apt" >&2
		tries=$((tries + 1))
		sleep 2
	done
	touch /var/lib/apt/lists
}

# install_packages UPDATE NAME...
install_packages() {
	update=$1
	shift
	# A dpkg that was interrupted makes every apt-get fail until this is done.
	if [ -n "$(find /var/lib/dpkg/updates -mindepth 1 -print -quit)" ] || [ -n "$(dpkg --audit)" ]; then
		echo "dpkg was interrupted before: dpkg --configure -a" >&2
		hold_services
		DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a </dev/null || :
	fi
	[ "$update" = no ] || update || return
	hold_services
	apt --no-install-recommends install -- "$@" 2>"$run/apt-errors"
	rc=$?
	if [ $rc -ne 0 ] && [ "$update" = no ] && grep -q 'Unable to locate\|no installation candidate\|404 \|Unable to fetch' "$run/apt-errors"; then
		cat "$run/apt-errors" >&2
		echo "the package lists are out of date: fetching them" >&2
		update && { apt --no-install-recommends install -- "$@" 2>"$run/apt-errors"; rc=$?; }
	fi
	release_services
	cat "$run/apt-errors" >&2
	return $rc
}
