# ask_touched TASK...: each with each path, coded, that a run has begun to change since the task's
# memory began; what the host no longer has a run of is not among them.
ask_touched() {
	cd /var/lib/provision 2>/dev/null || return
	for task; do
		# shellcheck disable=SC2016 # awk's own names
		MEMORY="/var/lib/provision/wanted/$task" awk '
			$3 == ENVIRON["MEMORY"] && $2 == "absent" { split("", touched) }
			{ touched[$3] }
			END { for (path in touched) print path }' runs/*/kept/index 2>/dev/null |
			while read -r coded; do printf '%s\000%s\000' "$task" "$coded"; done
	done
	cd /
}
