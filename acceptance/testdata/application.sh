# An application that measures, and sends that to 127.0.0.1:2003. It prints how many microseconds the
# slowest of its calls took.
now() { echo "${EPOCHREALTIME/./}"; }
slowest() { sort -n | tail -n 1; }

# connects makes a connection for each of $1 lines.
connects() {
	for _ in $(seq "$1"); do
		began=$(now)
		{ exec 3<>/dev/tcp/127.0.0.1/2003 && echo "acceptance.called 1 -1" >&3; exec 3>&-; } 2>/dev/null
		echo $(($(now) - began))
		sleep 0.05
	done | slowest
}

# keeps writes 90 KB a second to one connection for $1 seconds, as long as that stands.
keeps() {
	trap '' PIPE
	exec 3<>/dev/tcp/127.0.0.1/2003
	lines=$(for i in $(seq 200); do echo "acceptance.kept.line$i 123456789.12345 -1"; done)
	for _ in $(seq $(($1 * 10))); do
		began=$(now)
		echo "$lines" 2>/dev/null >&3 || break
		echo $(($(now) - began))
		sleep 0.1
	done | slowest
}
"$@"
