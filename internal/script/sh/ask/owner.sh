# ask_owners PATH...: of each that a package brought a line with o before it (dpkg-query(1), -S),
# and of each that is a conffile one with c (deb-conffiles(5)).
ask_owners() {
	{
		dpkg-query -S -- "$@" 2>/dev/null | sed 's/^/o /'
		for path; do printf '%s\n' "$path"; done | grep -h -x -F -f /dev/stdin -- /var/lib/dpkg/info/*.conffiles 2>/dev/null | sed 's/^/c /'
	}
	printf '\000'
}
