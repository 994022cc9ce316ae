# ask_packages NAME...: a line for each architecture that it is there for.
ask_packages() {
	# shellcheck disable=SC2016 # dpkg-query's own names
	dpkg-query -W -f '${Package}\t${Architecture}\t${db:Status-Abbrev}\t${Version}\n' "$@" 2>/dev/null
	printf '\000'
}
