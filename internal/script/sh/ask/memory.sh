# ask_memory TASK...: the first line of each note of what a task wanted, by the task's name; it is
# empty for one of these of which nothing is noted, though a run of a version that noted nothing
# (see begin_memory) worked on it.
ask_memory() {
	cd /var/lib/provision 2>/dev/null || return
	for f in wanted/*; do
		[ -f "$f" ] && read -r head <"$f" && printf '%s\000%s\000' "${f##*/}" "$head"
	done
	last=999999
	[ ! -d wanted ] || read -r last <wanted/.before || last=000000
	for task; do
		[ -e "wanted/$task" ] || ! worked_on "$task" || printf '%s\000\000' "$task"
	done
	cd /
}

# worked_on says whether one of those runs did a step for a task: worked_on TASK
worked_on() {
	TASK="\"$1\"" LAST=$last awk '
		FNR == 1 {
			split(FILENAME, part, "/")
			named = part[2] <= ENVIRON["LAST"] && match($0, /"tasks":\[[^]]*\]/) && index(substr($0, RSTART, RLENGTH), ENVIRON["TASK"])
		}
		named && /"event":"begin"/ { did = 1; exit }
		END { exit !did }' runs/*/journal 2>/dev/null
}
