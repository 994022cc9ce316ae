# What every task may ask of the host itself (recipe.Question): in a guard's shell.

# hostname(1), -I: without those of loopback, and without IPv6's of a link.
fact_addresses() { hostname -I; }

# systemd-detect-virt(1) says none where there is nothing, and fails then.
fact_virtualization() {
	word=$(systemd-detect-virt)
	[ -n "$word" ] && printf '%s\n' "$word"
}

# random(4): new with every boot.
fact_boot_id() {
	read -r id </proc/sys/kernel/random/boot_id
	printf '%s\n' "$id"
}

# That of the default route, nothing where there is none: by IPv4 (proc(5), /proc/net/route; one
# that refuses has no interface, *), else by IPv6, where the kernel itself refuses by lo.
fact_interface() {
	device=$(awk '$2 $8 == "0000000000000000" && $1 != "*" { print $1; exit }' /proc/net/route)
	[ -n "$device" ] || device=$(awk '$1 $2 == "0000000000000000000000000000000000" && $10 != "lo" { print $10; exit }' /proc/net/ipv6_route)
	printf '%s\n' "$device"
}
