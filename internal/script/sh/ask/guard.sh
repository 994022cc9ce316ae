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

# until_over prints the first kilobyte ($most bytes where that is said) of what comes before $over,
# without newlines at its end. Behind what is longer comes $long.
until_over() {
	output='' more=''
	while IFS= read -r line && [ "$line" != "$over" ]; do
		if [ "${#output}" -lt "${most:=1024}" ]; then
			output="$output$line
"
		elif [ -n "$line" ]; then
			more=${long-}
		fi
	done
	output=$output$more
	while [ "${output%
}" != "$output" ]; do
		output=${output%
}
	done
	printf "%.${most:-1024}s\000" "$output"
}
