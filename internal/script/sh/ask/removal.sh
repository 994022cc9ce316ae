# ask_removals NAME...: of each that is there, what else would go with it, were it purged by itself.
ask_removals() {
	# shellcheck disable=SC2016 # dpkg-query's own names
	for package in $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		awk '$1 != "not-installed" && $1 != "config-files" && !said[$2]++ { print $2 }'); do
		printf '%s\t%s\n' "$package" "$(purging "$package" | tr '\n' ' ')"
	done
	printf '\000'
}
