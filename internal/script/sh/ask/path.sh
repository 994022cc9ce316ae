# ask_paths PATH...: what stands there. find(1) prints a link's own attributes and its
# target; -printf is GNU, and findutils is Essential in Debian.
ask_paths() { find "$@" -maxdepth 0 -printf '%p\0%y\0%m\0%u\0%g\0%l\0' 2>/dev/null; }
