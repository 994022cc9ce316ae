# What is mounted where.

# mounted DIRECTORY prints what is mounted at a directory, whose way has no links, and below it: a
# line each, as proc_pid_mountinfo(5) writes them.
mounted() {
	TREE=$1 awk '
BEGIN {
	tree = ENVIRON["TREE"]
	gsub(/\\/, "\\134", tree); gsub(/ /, "\\040", tree); gsub(/\t/, "\\011", tree); gsub(/\n/, "\\012", tree)
}
$5 == tree || index($5, tree "/") == 1 { print $5 }' /proc/self/mountinfo
}
