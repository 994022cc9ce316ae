# A change that may cut the connection is armed before it is made, and the host undoes it by
# itself unless it is confirmed. Sourced after prelude.sh, by the runner and by the undoing.
#
# $state/armed/UNIT holds what is armed: found (ActiveState and UnitFileState of before),
# index (RUN STEP of each step on a file, oldest first), runs, boot (the boot's ID), live (the
# uptime in seconds at which it is undone, once it is live), and open. Confirming and
# undoing both begin by renaming open: one of them wins.

system=/etc/systemd/system

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# arm UNIT ACTIVE ENABLED: the units come first, for without them nothing may be armed.
arm() {
	armed=$state/armed/$1
	if [ -e "$armed/open" ]; then
		printf '%s\n' "$runid" >>"$armed/runs"
		return
	fi
	[ ! -e "$armed/undoing" ] || { echo "$1: an earlier change is being undone" >&2; return 1; }
	# The one at boot comes before what it undoes; with the timer's being that one too, the
	# reload that it orders would wait for it (systemd.unit(5), Before=).
	rm -rf "$armed" && mkdir -p "$armed" && chmod 0700 "$state/armed" "$armed" &&
		undoing_unit provision-undo DefaultDependencies=yes &&
		undoing_unit provision-undo-boot DefaultDependencies=no Conflicts=shutdown.target 'After=local-fs.target systemd-remount-fs.service' \
			"Before=$1 network-pre.target nftables.service ssh.service ssh.socket shutdown.target" &&
		printf '%s\n' '[Unit]' 'Description=Undoing of a change that nobody confirms' \
			'[Timer]' OnActiveSec=3 OnUnitInactiveSec=3 AccuracySec=500ms >"$system/provision-undo.timer" &&
		systemctl daemon-reload && systemctl -q enable provision-undo-boot.service && systemctl start provision-undo.timer &&
		printf '%s %s\n' "$2" "$3" >"$armed/found" && printf '%s\n' "$runid" >"$armed/runs" && : >"$armed/index" && boot_id >"$armed/boot" &&
		sync "$armed/found" "$armed/index" "$armed/boot" "$state/undo" "$system/provision-undo-boot.service" &&
		: >"$armed/open" && sync "$armed/open" "$armed" "$state/armed" "$system"
}

# undoing_unit writes a unit that undoes what is due: undoing_unit NAME SETTING...
undoing_unit() {
	name=$1
	shift
	printf '%s\n' '[Unit]' 'Description=Undoing of a change that nobody confirms' "$@" \
		'[Service]' Type=oneshot "ExecStart=/bin/sh $state/undo" TimeoutStartSec=300 \
		'[Install]' WantedBy=multi-user.target >"$system/$name.service"
}

# covered notes that undoing a unit takes a step back: covered UNIT STEP
covered() { printf '%s %s\n' "$runid" "$2" >>"$state/armed/$1/index" && sync "$state/armed/$1/index"; }

# countdown says that a change is live, and in how many seconds it is undone.
countdown() {
	read -r uptime _ </proc/uptime
	printf '%s\n' $((${uptime%%.*} + $2)) >"$state/armed/$1/live.new" && mv -f -T "$state/armed/$1/live.new" "$state/armed/$1/live"
}

confirm() {
	mv -T -- "$state/armed/$1/open" "$state/armed/$1/confirmed" 2>/dev/null ||
		{ echo "$1: the change is not there to be confirmed: the host has undone it" >&2; return 1; }
	rm -rf "$state/armed/$1"
	disarm
}

# disarm takes away what undoes, when nothing is armed any more; also what was left half
# armed or half confirmed. Whoever calls it holds the run's lock.
disarm() {
	for armed in "$state"/armed/*; do
		[ -e "$armed/open" ] || [ -e "$armed/undoing" ] || rm -rf "$armed"
	done
	rmdir "$state/armed" 2>/dev/null
	[ ! -e "$state/armed" ] || return 0
	set -- "$state/undo" "$system/provision-undo.timer" "$system/provision-undo.service" "$system/provision-undo-boot.service"
	[ -e "$1" ] || [ -e "$2" ] || [ -e "$3" ] || [ -e "$4" ] || return 0
	systemctl -q disable provision-undo-boot.service 2>/dev/null
	systemctl stop provision-undo.timer 2>/dev/null
	rm -f "$@"
	systemctl daemon-reload
}

# adopt makes this run answer for what a run that died has armed: the countdown stops, and
# begins anew when this run makes the change live. What was being undone is undone first.
adopt() {
	for armed in "$state"/armed/*; do
		if [ -e "$armed/undoing" ] || { [ -e "$armed/open" ] && [ "$(cat "$armed/boot")" != "$(boot_id)" ]; }; then
			sh "$state/undo"
		fi
		rm -f "$armed/live"
	done
	disarm
}

# undo_now undoes a change that failed: undo_now UNIT
undo_now() {
	sh "$state/undo" "$1"
	[ ! -e "$state/armed/$1" ] && disarm
}
