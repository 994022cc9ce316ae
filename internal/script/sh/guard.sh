# A change that may cut the connection is armed before it is made, and the host undoes it by
# itself unless it is confirmed. Sourced after prelude.sh, by the runner and by the undoing.
#
# $state/armed/UNIT holds what is armed: found (ActiveState and UnitFileState of before, and
# the run), index (each step on a file, oldest first), neighbours (a note for each other unit that
# the files concern), boot (the boot's ID), live (the uptime in seconds at which it is undone, once
# it is live), alone (the same, once its run is gone), and open. Confirming and undoing both begin
# by renaming open: one of them wins.

system=/etc/systemd/system

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# arm NUMBER UNIT ACTIVE ENABLED: the units come first, for without them nothing may be armed.
arm() {
	shift
	armed=$state/armed/$1
	[ ! -e "$armed/open" ] && [ ! -e "$armed/undoing" ] || { echo "$1: an earlier change is not undone yet" >&2; return 1; }
	# The one at boot comes before what it undoes; with the timer's being that one too, the
	# reload that it orders would wait for it (systemd.unit(5), Before=).
	rm -rf "$armed" && mkdir -p "$armed/neighbours" && chmod 0700 "$state/armed" "$armed" &&
		printf '%s\n' "$library" "$undoing" >"$state/undo.new" && mv -f -T "$state/undo.new" "$state/undo" &&
		undoing_unit provision-undo DefaultDependencies=yes &&
		undoing_unit provision-undo-boot DefaultDependencies=no Conflicts=shutdown.target 'After=local-fs.target systemd-remount-fs.service' \
			"Before=$1 network-pre.target nftables.service ssh.service ssh.socket shutdown.target" &&
		printf '%s\n' '[Unit]' 'Description=Undoing of a change that nobody confirms' \
			'[Timer]' OnActiveSec=3 OnUnitInactiveSec=3 AccuracySec=500ms >"$system/provision-undo.timer" &&
		systemctl daemon-reload && systemctl -q enable provision-undo-boot.service && systemctl start provision-undo.timer &&
		printf '%s %s %s\n' "$2" "$3" "$runid" >"$armed/found" && : >"$armed/index" && boot_id >"$armed/boot" &&
		sync "$armed/found" "$armed/index" "$armed/boot" "$state/undo" "$system/provision-undo-boot.service" &&
		: >"$armed/open" && sync "$armed/open" "$armed" "$state/armed" "$state" "$system"
}

# undoing_unit writes a unit that undoes what is due: undoing_unit NAME SETTING...
undoing_unit() {
	name=$1
	shift
	printf '%s\n' '[Unit]' 'Description=Undoing of a change that nobody confirms' "$@" \
		'[Service]' Type=oneshot "ExecStart=/bin/sh $state/undo" TimeoutStartSec=300 \
		'[Install]' WantedBy=multi-user.target >"$system/$name.service"
}

# covered notes that undoing a unit takes a step back, and which other units take in its file: they
# then have to take in the old one. Their notes are made now, for undoing may have no room for them.
# covered UNIT STEP NEIGHBOUR...
covered() {
	armed=$state/armed/$1 step=$2
	shift 2
	for neighbour; do
		[ -e "$armed/neighbours/$neighbour" ] || note "$armed/neighbours" "$neighbour" restart || return
	done
	printf '%s\n' "$step" >>"$armed/index" && sync "$armed/index"
}

# countdown says that a change is live, and in how many seconds it is undone.
countdown() {
	read -r uptime _ </proc/uptime
	printf '%s\n' $((${uptime%%.*} + $2)) >"$state/armed/$1/live.new" && mv -f -T "$state/armed/$1/live.new" "$state/armed/$1/live"
}

# stay makes a change stay, unless the host has begun to undo it. It needs no lock, and lasts
# before anybody is told of it; what waited for the change to be taken in waits no more.
stay() {
	mv -T -- "$state/armed/$1/open" "$state/armed/$1/confirmed" 2>/dev/null || return
	sync "$state/armed/$1" 2>/dev/null || sync
	rm -f "$state/pending/$1"
	record "{\"event\":\"confirmed\",\"unit\":\"$1\"}" || :
}

# verdict tells what became of a change; with the step that made it live it stays, when that
# step is done: verdict UNIT STEP
verdict() {
	armed=$state/armed/$1
	# What is armed may be another run's by now, which has undone this one's before.
	of=
	read -r _ _ of 2>/dev/null <"$armed/found"
	if [ "$of" = "${run##*/}" ]; then
		# A step's end is in the journal before anything is said of it.
		if [ "$2" -gt 0 ] && grep -q -F "{\"event\":\"end\",\"step\":$2,\"status\":0}" "$run/journal"; then stay "$1" || :; fi
		if [ -e "$armed/open" ] || [ -e "$armed/undoing" ]; then say open; return; fi
		# The journal may be on a disk that is full.
		if [ -e "$armed/confirmed" ]; then say confirmed; return; fi
	fi
	if grep -q -F "{\"event\":\"undone\",\"unit\":\"$1\"}" "$run/journal"; then say undone
	elif grep -q -F "{\"event\":\"confirmed\",\"unit\":\"$1\"}" "$run/journal"; then say confirmed
	else say unknown; fi
}

# confirm takes away what undoes a change that stays: confirm NUMBER UNIT
confirm() {
	shift
	stay "$1" || [ -e "$state/armed/$1/confirmed" ] ||
		{ echo "$1: the change is not there to be confirmed: the host has undone it" >&2; return 1; }
	rm -rf "$state/armed/$1"
	disarm
}

# disarm takes away what undoes, when nothing is armed any more; also what was left half
# armed, confirmed or undone. Whoever calls it holds the run's lock.
disarm() {
	for armed in "$state"/armed/*; do
		[ -e "$armed/open" ] || [ -e "$armed/undoing" ] || rm -rf "$armed"
	done
	rmdir "$state/armed" 2>/dev/null
	[ ! -e "$state/armed" ] || return 0
	# What the units run goes last: were this cut off before, they would do it again.
	set -- "$system/provision-undo-boot.service" "$system/provision-undo.timer" "$system/provision-undo.service" "$state/undo"
	[ -e "$1" ] || [ -e "$2" ] || [ -e "$3" ] || [ -e "$4" ] || return 0
	systemctl -q disable provision-undo-boot.service 2>/dev/null
	systemctl stop provision-undo.timer 2>/dev/null
	rm -f "$@"
	systemctl daemon-reload
}

# adopt undoes what a run that died has armed: nobody is left who could confirm it.
adopt() {
	for armed in "$state"/armed/*; do
		if [ -e "$armed/open" ] || [ -e "$armed/undoing" ]; then sh "$state/undo" "${armed##*/}" </dev/null; fi
	done
	disarm
}

# undo_now undoes a change that failed: undo_now NUMBER UNIT
undo_now() {
	shift
	sh "$state/undo" "$1"
	[ ! -e "$state/armed/$1" ] && disarm
}
