# ask_pending: all notifications that no restart has answered yet.
ask_pending() {
	for f in /var/lib/provision/pending/*; do
		[ -f "$f" ] && read -r action <"$f" && printf '%s\000' "${f##*/}" "$action"
	done
}
