# ask_memory TASK...: the first line of each note of what a task wanted, by the task's name; it is
# empty for one of these of which nothing is noted, though a run of a version that noted nothing
# (see begin_memory) worked on it.
ask_memory() {
	cd /var/lib/provision 2>/dev/null || return
	for f in wanted/*; do
		[ -f "$f" ] || continue
		head=
		read -r head <"$f" || : # a line that is not whole
		printf '%s\000%s\000' "${f##*/}" "${head:-(empty)}"
	done
	earlier=
	for task; do
		[ ! -e "wanted/$task" ] || continue
		: "${earlier:=$(earlier_tasks)}"
		case $earlier in *"\"$task\""*) printf '%s\000\000' "$task" ;; esac
	done
	cd /
}

# ask_earlier: the tasks for which one of those runs did a step.
ask_earlier() {
	cd /var/lib/provision 2>/dev/null || return
	earlier_tasks | tr -d '"' | tr ',\n' '\000\000'
	cd /
}

# earlier_tasks prints their names in quotes, with commas between, a line for each run.
earlier_tasks() {
	last=999999
	[ ! -d wanted ] || read -r last <wanted/.before || last=000000
	LAST=$last awk '
		FNR == 1 {
			split(FILENAME, part, "/")
			tasks = ""
			if (part[2] <= ENVIRON["LAST"] && match($0, /"tasks":\[[^]]+\]/)) tasks = substr($0, RSTART + 9, RLENGTH - 10)
		}
		tasks != "" && /"event":"begin"/ { print tasks; tasks = "" }' runs/*/journal 2>/dev/null || :
}
