# ask_accounts DATABASE NAME...: of passwd(5) or group(5).
ask_accounts() {
	getent "$@"
	printf '\000'
}
