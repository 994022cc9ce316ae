# What apt would do, were packages purged: for the plan, and for the step that holds itself to it.

# purging NAME... prints a word for each package that would go, and one with + before it for each
# that would come in its place. It changes nothing, waits for no lock (apt-get(8), -s) and writes
# no cache.
purging() {
	apt-get -s -q -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Cmd::Pattern-Only=true purge -- "$@" 2>/dev/null |
		awk '$1 == "Purg" || $1 == "Remv" { print $2 } $1 == "Inst" { print "+" $2 }'
}
