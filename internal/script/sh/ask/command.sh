# ask_guards SECONDS TEXT: runs sh text that asks guards, in a shell of their own, for so long.
# After the name of one that does not end, "late" stands where its exit status would.
ask_guards() { printf '%s\n' "$2" | timeout -k 10 "$1" sh || printf 'late\000\000'; }
