# Configuration files as their packages have them.

# shipped NUMBER PATH PACKAGE: a conffile becomes what it is in the package, at the version that is
# installed. apt fetches that where it has not kept it; what an older version had is no answer.
shipped() {
	step=$1 file=$2 package=$3
	# shellcheck disable=SC2016 # dpkg-query's own names
	version=$(dpkg-query -W -f '${Version}' -- "$package") architecture=$(dpkg-query -W -f '${Architecture}' -- "$package")
	deb=/var/cache/apt/archives/${package}_$(printf %s "$version" | sed 's/:/%3a/')_$architecture.deb
	[ -e "$deb" ] || fetched || { update && fetched; } || { cat "$run/apt" >&2; return 100; }
	# shellcheck disable=SC2016
	digest=$(dpkg-query -W -f '${Conffiles}\n' -- "$package" | FILE=$file awk '$1 == ENVIRON["FILE"] { print $2 }')
	at "$file"
	keep "$step" "$file"
	private "$step"
	mkdir ./unpacked && dpkg-deb --fsys-tarfile "$deb" | tar -x -p -C ./unpacked -f - ".$file" || room "$file" || discard || return
	mv -T -- "./unpacked$file" "./$name.new" && rm -rf ./unpacked && mv -T -- "./$name.new" "./$name" || discard || return
	[ -f "./$name" ] && [ ! -L "./$name" ] && [ "$(md5sum <"./$name")" = "$digest  -" ] ||
		{ echo "$file: is another in $deb than dpkg has noted" >&2; discard; } || return
	sync "./$name"
	move "./$name"
}

# fetched has apt fetch the package of the variables of shipped.
fetched() { apt -d --reinstall install -- "$package=$version" >"$run/apt" 2>&1 && [ -e "$deb" ]; }
