# shellcheck shell=sh
# Keeps one lab host running: boots it again when it asks for a reboot.
# $1 = the host's control groups, separated by spaces; then nspawn and its arguments.
groups=$1
shift
while :; do
	(
		for group in $groups; do
			echo 0 >"$group/cgroup.procs" || exit 1
		done
		exec "$@"
	)
	code=$?
	# With --keep-unit nspawn ends with 133 when the host reboots, as
	# systemd-nspawn@.service expects (RestartForceExitStatus=133).
	[ "$code" = 133 ] || break
done
echo "lab: the host has ended, nspawn's exit code is $code"
exit "$code"
