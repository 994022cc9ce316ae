# ask_command NAME SCRIPT: in a shell of its own, without input, its errors unread: what counts
# is its exit status, and the start of what it prints.
ask_command() {
	# eval, so that one that is no sh ends its own shell alone.
	output=$(exec 2>/dev/null </dev/null; eval "$2")
	printf '%s\000' "$1" $? "$(printf %s "$output" | head -c 1024)"
}
