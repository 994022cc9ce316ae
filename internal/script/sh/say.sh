# How a host speaks to its controller: on what was standard output. A step's own output goes to
# standard error, so that the two never mix.
exec 3>&1 1>&2

say() { printf '%s\n' "$*" >&3 2>/dev/null || :; }

# mark parts what one step prints from what the next one does. It stands on a line of its
# own and bears the run's nonce, which no step knows: output cannot forge it.
mark() { printf '\n\036%s %s\n' "$nonce" "$1" >&2; }
