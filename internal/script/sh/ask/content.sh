# ask_contents PATH...: of what is larger than a megabyte only the size, for no configuration is,
# and half a file must not be taken for a whole one. Beside it stands whose it is, for what is read
# may not be what was looked at before: it might come back in a file of another account.
ask_contents() {
	for f; do
		[ -f "$f" ] && [ ! -L "$f" ] && at "$f" 2>/dev/null || continue
		opened "./$name" 1048577 2>/dev/null | {
			read -r mode owner group size || exit
			printf '%s\000%s\000' "$f" "$mode $owner $group"
			if [ "$size" -gt 1048576 ]; then
				printf '%s\000\000' "$size"
			else
				printf '\000'
				base64 -w 0
				printf '\000'
			fi
		}
	done
	cd /
}
