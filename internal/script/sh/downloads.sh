# What a host fetches from the network by itself. apt's helper does it, for it is on every Debian,
# knows the host's proxies, and talks to the network as an account of its own, which may write to its
# own directory alone (apt.conf(5), APT::Sandbox::User).

# fetch URL SHA256: into $fetched, which that account may have to itself.
fetch() {
	store=/var/cache/apt/archives/partial
	fetched=$store/provision-$salt
	[ -d "$store" ] || install -d -m 0700 -o _apt -g root "$store" || return
	/usr/lib/apt/apt-helper -o quiet=2 -o Acquire::Retries=3 download-file "$1" "$fetched" "SHA256:$2" </dev/null >&2 || {
		rm -f -- "$fetched" "$fetched".*
		return 100
	}
}

# take_fetched ./NAME SHA256: what was fetched becomes a file of a private directory, by a copy: who
# fetched it may still write to the other. It is held to its digest there.
take_fetched() {
	( umask 077; dd if="$fetched" iflag=nofollow of="$1" bs=1M status=none ) || room "$path" || discard || return
	rm -f -- "$fetched"
	[ "$(sha256sum <"$1")" = "$2  -" ] || { echo "$path: what was fetched is not what was meant: its SHA-256 is another" >&2; discard; }
}

# download NUMBER PATH MODE OWNER:GROUP SHA256 URL
download() {
	number=$1 path=$2 mode=$3 owner=$4 digest=$5
	fetch "$6" "$digest"
	at "$path"
	keep "$number" "$path"
	private "$number"
	take_fetched "./$name" "$digest"
	put "$mode" "$owner" "./$name"
}
