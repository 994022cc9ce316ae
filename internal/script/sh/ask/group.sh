# ask_groups NAME...: of group(5).
ask_groups() {
	getent group "$@"
	printf '\000'
}
