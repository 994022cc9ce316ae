# ask_host: its system, for which every recipe is built.
ask_host() {
	# A dot command that finds no file ends the shell (POSIX.1-2017, XCU 2.8.1).
	# shellcheck disable=SC1091 # of the host
	[ -r /etc/os-release ] && . /etc/os-release
	# The processors that are online (cpu(8), sysfs) and the first line of meminfo, MemTotal in
	# kibibytes (proc(5)): read without a process.
	cpus='' memory=''
	{
		read -r cpus </sys/devices/system/cpu/online
		read -r _ memory _ </proc/meminfo
	} 2>/dev/null
	printf '%s\000' "${ID-}" "${VERSION_ID-}" "${VERSION_CODENAME-}" "$(dpkg --print-architecture 2>/dev/null)" "$(uname -n)" "$cpus" "$memory"
}
