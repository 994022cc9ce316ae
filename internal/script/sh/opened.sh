# Reading a file where another account can put anything in its place at any moment.

# opened prints what a file is and what is in it, both of what it opened: its mode, owner, group and
# size in a line, and then as many bytes as are asked for, or all: opened NAME [MOST]. It follows no
# link and waits for no FIFO (open(2), O_NOFOLLOW, O_NONBLOCK): of Debian's Essential packages
# perl-base alone can open so and then look at what it has.
opened() {
	# shellcheck disable=SC2016 # perl's
	perl -e 'use Fcntl;
		my ($name, $most) = @ARGV;
		sysopen my $file, $name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK or die "$name: $!\n";
		-f $file or die "$name: is no regular file any more\n";
		my @is = stat $file;
		$most //= $is[7];
		printf "%o %s %s %d\n", $is[2] & 07777, scalar getpwuid($is[4]) // $is[4], scalar getgrgid($is[5]) // $is[5], $is[7];
		while ($most > 0 and my $n = sysread $file, my $text, $most < 65536 ? $most : 65536) {
			print $text;
			$most -= $n;
		}' -- "$@"
}
