# ask_contents PATH...: of what is larger than a megabyte only the size, for no configuration is,
# and half a file must not be taken for a whole one. What is read is never what a link of another
# account leads to: it might come back in a file of that account.
ask_contents() {
	for f; do
		[ -f "$f" ] && [ ! -L "$f" ] && at "$f" 2>/dev/null || continue
		size=$(stat -c %s -- "./$name")
		if [ "$size" -gt 1048576 ]; then
			printf '%s\000%s\000\000' "$f" "$size"
			continue
		fi
		printf '%s\000\000' "$f"
		dd if="./$name" iflag=nofollow,nonblock bs=64K count=17 status=none 2>/dev/null | base64 -w 0
		printf '\000'
	done
	cd /
}
