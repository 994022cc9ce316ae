# ask_entries DIRECTORY...: each with each name in it.
ask_entries() {
	for directory; do
		[ ! -L "$directory" ] && find "$directory" -mindepth 1 -maxdepth 1 -printf '%h\0%f\0' 2>/dev/null
	done
}
