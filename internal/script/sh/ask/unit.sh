# ask_units UNIT...: a block each, in this order. One that is no unit's name fails them all, and
# is told.
ask_units() {
	systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload -- "$@" 2>&1
	printf '\000'
}
