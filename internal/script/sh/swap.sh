# Putting the host's own secrets into a file that came with placeholders, and taking them out
# again to compare: for steps and questions.

# swap is a filter that puts the text of each secret's file in place of its placeholder (fill),
# or the placeholder in place of the text (unfill): swap HOW PLACEHOLDER SECRET... awk compares
# whole strings (index, not a pattern) and reads the secret from its file, so none is in argv;
# the placeholder is in the environment, for -v would read backslashes. What it prints ends
# with a newline.
swap() {
	if [ $# -gt 3 ]; then
		swap "$1" "$2" "$3" | {
			how=$1
			shift 3
			swap "$how" "$@"
		}
		return
	fi
	HOW=$1 PLACEHOLDER=$2 SECRET=$3 awk '
BEGIN {
	getline secret <ENVIRON["SECRET"]
	from = secret; to = ENVIRON["PLACEHOLDER"]
	if (ENVIRON["HOW"] == "fill" && length(secret)) { from = to; to = secret }
}
{
	out = ""; rest = $0
	while (length(from) && (i = index(rest, from))) {
		out = out substr(rest, 1, i - 1) to
		rest = substr(rest, i + length(from))
	}
	print out rest
}'
}
