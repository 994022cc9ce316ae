# ask_guards SECONDS TEXT: runs sh text that asks guards, in a shell of their own, for so long.
# After the name of one that does not end, "late" stands where its exit status would. What they leave
# in the background ends with them: timeout(1) leads a process group of its own.
ask_guards() {
	printf '%s\n' "$2" | timeout -k 10 "$1" sh &
	guards=$!
	wait "$guards" || printf 'late\000\000'
	kill -s KILL -- "-$guards" 2>/dev/null || :
}
