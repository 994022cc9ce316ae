# ask_contents PATH...: without what is larger than a megabyte: no configuration is, and half a
# file must not be taken for a whole one.
ask_contents() {
	for f; do
		[ -f "$f" ] && [ ! -L "$f" ] && [ "$(stat -c %s "$f")" -le 1048576 ] || continue
		printf '%s\000' "$f"
		base64 -w 0 "$f"
		printf '\000'
	done
}
