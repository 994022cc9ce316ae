# ask_contents PATH...: of what is larger than a megabyte only the size, for no configuration is,
# and half a file must not be taken for a whole one.
ask_contents() {
	for f; do
		[ -f "$f" ] && [ ! -L "$f" ] || continue
		size=$(stat -c %s "$f")
		if [ "$size" -gt 1048576 ]; then
			printf '%s\000%s\000\000' "$f" "$size"
			continue
		fi
		printf '%s\000\000' "$f"
		base64 -w 0 "$f"
		printf '\000'
	done
}
