# ask_candidates NAME...: without the caches that apt-cache would write: a question changes nothing.
ask_candidates() {
	apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy -- "$@" 2>/dev/null |
		awk '/^[^ ]/ { name = substr($0, 1, length($0) - 1) } $1 == "Candidate:" && $2 != "(none)" { print name "\t" $2 }'
	printf '\000'
}
