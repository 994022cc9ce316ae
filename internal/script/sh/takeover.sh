# Ends a run whose connection was cut, which its host may not know for a minute: sourced after
# prelude.sh, with $run, $patience and $record set.

# Its shell only waits for the next word; what it has started keeps the lock until it is done.
if read -r runner <"$run/open" && [ "$(readlink "/proc/$runner/fd/9")" = "$(readlink -f "$state/lock")" ]; then kill "$runner"; fi
exec 9>>"$state/lock"
flock -w "$patience" 9 || exit 75
[ -e "$run/open" ] || exit 0
record "$record" && rm -f "$run/open"
