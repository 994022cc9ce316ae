# ask_host: its system, for which every recipe is built.
ask_host() {
	# A dot command that finds no file ends the shell (POSIX.1-2017, XCU 2.8.1).
	# shellcheck disable=SC1091 # of the host
	[ -r /etc/os-release ] && . /etc/os-release
	printf '%s\000' "${ID-}" "${VERSION_ID-}" "${VERSION_CODENAME-}" "$(dpkg --print-architecture 2>/dev/null)" "$(uname -n)"
}
