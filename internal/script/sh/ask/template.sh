# ask_templates UNIT...: of a template (name@.service) only its file is there to be asked for.
ask_templates() {
	systemctl list-unit-files --no-legend --no-pager --full -- "$@" 2>/dev/null
	printf '\000'
}
