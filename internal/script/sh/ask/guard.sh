# Asking guards: for the shell that ask_guards starts.
exec 4>&1
# What ends a guard's output is not to be known before: what it prints may be anybody's.
read -r over </proc/sys/kernel/random/uuid

# ask_guard NAME SCRIPT: in a shell of its own, without input, its errors unread: what counts
# is its exit status, and the start of what it prints until it ends. What it leaves in the
# background may hold its output open.
ask_guard() {
	printf '%s\000' "$1"
	# eval, so that one that is no sh ends its own shell alone.
	{
		(exec 2>/dev/null </dev/null 4>&-; eval "$2")
		printf '%s\000' $? >&4
		printf '\n%s\n' "$over"
	} | until_over
}

# until_over prints the first kilobyte of what comes before $over, without newlines at its end.
until_over() {
	output=
	while IFS= read -r line && [ "$line" != "$over" ]; do
		[ "${#output}" -ge 1024 ] || output="$output$line
"
	done
	while [ "${output%
}" != "$output" ]; do
		output=${output%
}
	done
	printf '%.1024s\000' "$output"
}
