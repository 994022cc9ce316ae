# ask_passwords NAME...: the digest of the hash that each account has in shadow(5).
ask_passwords() {
	getent shadow "$@" | while IFS=: read -r account hash _; do
		printf '%s\000%s\000' "$account" "$(printf %s "$hash" | sha256sum)"
	done
}
