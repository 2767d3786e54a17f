#!/bin/sh
# Prints the lines of PAM's configuration that name the module: file, number, line. The packages ask it before they
# remove the module: a stack that names a module which is not there lets nobody in.
#
#   pam-in-use MODULE          all of them
#   pam-in-use MODULE by-hand  without the files that pam-auth-update(8) and authselect(8) write
set -eu

module=$1

# names is whether a word of a PAM file means the module.
names() {
	case $1 in
	pam_sallyport.so) ;;
	/*/pam_sallyport.so) [ "$(readlink -f "$1")" = "$(readlink -f "$module")" ] ;;
	*) return 1 ;;
	esac
}

# written is whether a tool writes the file.
written() {
	case $1 in
	/etc/pam.d/common-*) ;;
	*) case $(readlink -f "$1") in /etc/authselect/*) ;; *) return 1 ;; esac ;;
	esac
}

show() {
	number=0
	while read -r line || [ -n "$line" ]; do
		number=$((number + 1))
		for word in ${line%%#*}; do
			if names "$word"; then
				echo "  $1:$number: $line"
				break
			fi
		done
	done <"$1"
}

for file in /etc/pam.conf /etc/pam.d/* /usr/lib/pam.d/*; do
	case $file in
	*.dpkg-* | *.pam-old | *.rpmnew | *.rpmsave | *~) continue ;;
	esac
	[ -f "$file" ] || continue
	if [ "${2-}" = by-hand ] && written "$file"; then
		continue
	fi
	# The words of a line are not patterns of file names.
	set -f
	show "$file"
	set +f
done
