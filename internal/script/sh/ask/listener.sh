# ask_listeners UNITS PORTS: what listens at these TCP ports, each four hexadecimal digits, a line
# each: address:port as the kernel writes it (proc_net_tcp(5), where 0A is LISTEN), the unit and the
# process that hold it, or a hyphen. UNITS are those that should: their processes are looked at
# first, and all others only for what these do not hold.
ask_listeners() {
	wanted=$2
	units=$1
	set -- /dev/null
	for unit in $units; do
		while read -r process; do set -- "$@" "/proc/$process/fd"; done 2>/dev/null <"/sys/fs/cgroup/system.slice/$unit/cgroup.procs"
	done
	find "$@" -maxdepth 1 -lname 'socket:*' -printf '%p %l\n' 2>/dev/null | PORTS=" $wanted " awk '
		# Of systemd and a service that it handed a socket to, it is the service that holds it.
		function note(path, link,  part, socket) {
			split(path, part, "/")
			socket = substr(link, 9, length(link) - 9)
			if (!(socket in holder) || holder[socket] == 1) holder[socket] = part[3]
		}
		# By its control group (cgroups(7)), below which a service may have made others.
		function unit_of(process,  file, line, part, i) {
			file = "/proc/" process "/cgroup"
			while ((getline line <file) > 0) if (line ~ /^(0:|[0-9]+:name=systemd):/) break
			close(file)
			for (i = split(line, part, "/"); i > 1; i--) if (part[i] ~ /\.(service|scope)$/) return part[i]
			return "-"
		}
		# For which systemd itself holds the socket.
		function socket_unit(hex,  port, i, line, word, list, found) {
			for (i = 1; i <= 4; i++) port = port * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
			port = ":" port
			found = "-"
			list = "systemctl list-sockets --no-legend --full"
			while ((list | getline line) > 0)
				if (split(line, word, " ") > 1 && substr(word[1], length(word[1]) - length(port) + 1) == port) found = word[2]
			close(list)
			return found
		}
		function tell(address, process,  file, name) {
			if (process == "") { print address, "-", "-"; return }
			file = "/proc/" process "/comm"
			if ((getline name <file) <= 0) name = "-"
			close(file)
			print address, process == 1 ? socket_unit(substr(address, length(address) - 3)) : unit_of(process), name
		}
		function listening(table) {
			while ((getline <table) > 0)
				if ($4 == "0A" && index(ENVIRON["PORTS"], " " substr($2, length($2) - 3) " ")) {
					address[++count] = $2
					inode[count] = $10
				}
		}
		BEGIN {
			listening("/proc/net/tcp")
			listening("/proc/net/tcp6")
			if (!count) exit
		}
		{ note($1, $2) }
		END {
			for (i = 1; i <= count; i++) if (!(inode[i] in holder)) elsewhere = 1
			everywhere = "find /proc/[0-9]*/fd -maxdepth 1 -lname \"socket:*\" -printf \"%p %l\\n\" 2>/dev/null"
			if (elsewhere) while ((everywhere | getline) > 0) note($1, $2)
			for (i = 1; i <= count; i++) tell(address[i], holder[inode[i]])
		}'
	printf '\000'
}
