# Installing packages so that nothing asks, nothing starts, and what was interrupted
# before is finished first. Sourced after prelude.sh.

policy=/usr/sbin/policy-rc.d

# hold_services keeps packages from starting services: invoke-rc.d(8) asks policy-rc.d,
# and 101 forbids. A policy that the host has is put aside and comes back.
# Whatever moment the run dies at, release_services of the next one finds what it needs:
# the note that the policy is ours is there before ours is, and goes after the host's is
# back. By renames, for the host's policy may be a link.
hold_services() {
	[ -e "$state/policy-held" ] && return 0
	rm -f "$state/policy-kept" && printf '#!/bin/sh\nexit 101\n' >"$policy.provision" && chmod 0755 "$policy.provision" || return
	if [ -e "$policy" ] || [ -L "$policy" ]; then cp -a -T "$policy" "$state/policy-kept" || return; fi
	: >"$state/policy-held" && sync "$state" && mv -f -T "$policy.provision" "$policy"
}

release_services() {
	[ -e "$state/policy-held" ] || return 0
	if [ -e "$state/policy-kept" ] || [ -L "$state/policy-kept" ]; then
		cp -a -T "$state/policy-kept" "$policy.provision" && mv -f -T "$policy.provision" "$policy" || return
	else
		rm -f "$policy" "$policy.provision"
	fi
	rm -f "$state/policy-held"
	rm -f "$state/policy-kept"
}

# apt runs apt-get with no terminal, no input, no question: the files that are there win
# over the package's (dpkg(1), --force-confold), and needrestart restarts without asking.
# Pattern-Only: a name with a full stop that is none is not taken for a regular expression.
apt() {
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none apt-get -q -y \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o APT::Cmd::Pattern-Only=true \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# fetch_lists NUMBER
fetch_lists() { update; }

# update fetches the package lists. apt locks them for itself and does not wait (the lock
# of the lists is not dpkg's), so this does.
update() {
	tries=0
	until apt -o APT::Update::Error-Mode=any update >"$run/apt" 2>&1; do
		grep -q 'Unable to lock' "$run/apt" && [ "$tries" -lt 60 ] || { cat "$run/apt" >&2; return 100; }
		[ "$tries" -gt 0 ] || sed 's/^/waiting: /' "$run/apt" >&2
		tries=$((tries + 1))
		sleep 2
	done
	touch /var/lib/apt/lists
}

# finish_dpkg lets dpkg finish what it began: one that was interrupted makes every apt-get fail
# until then. Where a disk was full some of what others depend on may not have been unpacked at all,
# which dpkg alone cannot finish: apt-get brings it, and removes nothing. It may leave the services held.
finish_dpkg() {
	[ -n "$(find /var/lib/dpkg/updates -mindepth 1 -print -quit)" ] || [ -n "$(dpkg --audit)" ] || return 0
	echo "dpkg was interrupted before: dpkg --configure -a" >&2
	hold_services
	DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a </dev/null ||
		apt --no-install-recommends --no-remove --fix-broken install || :
}

# install_packages NUMBER UPDATE UNITS NAME...: what has to restart for them is noted first, so
# that a run that dies in between still does; UNITS are words.
install_packages() {
	update=$2
	for unit in $3; do notify "$1" "$unit" restart; done
	shift 3
	finish_dpkg
	[ "$update" = no ] || update || {
		rc=$?
		release_services
		return "$rc"
	}
	hold_services
	# Steps run under set -e: a failure that is looked into stands beside a ||.
	rc=0
	install_now "$@" || rc=$?
	if [ "$rc" -ne 0 ] && [ "$update" = no ] && grep -q 'Unable to locate\|no installation candidate\|404 \|Unable to fetch' "$run/apt-errors"; then
		cat "$run/apt-errors" >&2
		echo "the package lists are out of date: fetching them" >&2
		update && {
			rc=0
			install_now "$@" || rc=$?
		}
	fi
	# The services first: with a dead connection, cat ends this shell.
	release_services
	cat "$run/apt-errors" >&2
	return "$rc"
}

# install_now removes nothing that is in the way: that was in no plan (apt-get(8)).
install_now() { apt_now --no-install-recommends --no-remove install -- "$@"; }

# apt_now lets apt-get write to a file, which tail hands on: a connection that dies takes tail with
# it (SIGPIPE), and not an apt-get in the middle of its work.
apt_now() {
	true >"$run/apt-output" || return
	apt "$@" >"$run/apt-output" 2>"$run/apt-errors" &
	working=$!
	tail -n +1 -s 0.2 -f --pid="$working" "$run/apt-output" >&2 || :
	wait "$working"
}

# remove_packages NUMBER PLANNED NAME...: purges packages. PLANNED are words: what else goes, and
# with + before it comes, by the plan. Where apt would do more than that, nothing is done. Their
# services are not held: a package's own scripts stop them.
remove_packages() {
	planned=" $2 "
	shift 2
	finish_dpkg
	release_services
	more='' does=$(purging "$@")
	for package in $does; do
		case "$planned$* " in
		*" $package "*) ;;
		*) more="$more $package" ;;
		esac
	done
	[ -z "$more" ] || { echo "apt would not only purge $*, which is in the plan, but also:$more" >&2; return 1; }
	# Where it would do nothing it does nothing, or says why it cannot.
	only=
	[ -n "$does" ] || only=--no-remove
	status=0
	apt_now ${only:+"$only"} purge -- "$@" || status=$?
	cat "$run/apt-errors" >&2
	return "$status"
}
