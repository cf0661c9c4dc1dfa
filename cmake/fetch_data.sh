#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches data sets from their official addresses to where frostline finds them, and checks what is there.
# Usage: fetch_data.sh DEST [mnist|fashion-mnist|cifar10|imagenette]...   without names: the first three
#        fetch_data.sh --verify DEST                                      checks size and SHA-256, fetches nothing
# FROSTLINE_MIRROR=ADDRESS takes every file from ADDRESS/NAME instead. MNIST's files and Fashion-MNIST's have the same
# names: a mirror holds one of the two sets, and the sets wanted have to be named.
set -eu

usage() { sed -n 's/^# \(Usage: .*\|       fetch.*\)/\1/p' "$0"; }
misused() { usage >&2; exit 2; }
fail() { echo "fetch_data.sh: $*" >&2; exit 1; }

# Set, file, size and SHA-256, for MNIST's of what the .gz holds: whoever packed it again changed nothing. For
# Imagenette: set, folder of a class, number of images. `frostline-train --verify` has the same list.
official_files=$(dirname "$0")/official_files.txt
[ -r "$official_files" ] || fail "$official_files: is missing"

cifar10_archive=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
imagenette_archive_md5=fe2fc210e6bb7c5664d602c3cd71e612 # the authors publish no SHA-256

# Prints what is wrong with the files of a set in a folder, a line each; nothing when they are the official ones.
differences() { # set, folder
    while read -r set file size sum; do
        [ "$set" = "$1" ] || continue
        if [ -f "$2/$file" ]; then
            unpack="cat"
            path=$2/$file
        elif [ -f "$2/$file.gz" ]; then
            unpack="gzip -dc"
            path=$2/$file.gz
        else
            echo "$2/$file: is missing"
            continue
        fi
        found=$($unpack "$path" 2>/dev/null | wc -c)
        if [ "$found" -ne "$size" ]; then
            echo "$path: holds $found bytes, the official file $size"
            continue
        fi
        found=$($unpack "$path" | sha256sum | cut -d ' ' -f 1)
        [ "$found" = "$sum" ] || echo "$path: the SHA-256 is $found, of the official file $sum"
    done <"$official_files"
}

images_in() { find "$1" -type f -iname '*.jpeg' 2>/dev/null | wc -l; }

verify() { # folder
    found_any=false
    different=false
    for place in mnist:mnist mnist:MNIST/raw fashion-mnist:fashion-mnist fashion-mnist:FashionMNIST/raw \
        cifar10:cifar-10-batches-bin; do
        set=${place%%:*}
        folder=$1/${place#*:}
        [ -d "$folder" ] || continue
        found_any=true
        problems=$(differences "$set" "$folder")
        if [ -z "$problems" ]; then
            echo "$folder: $set, the official files"
        else
            echo "$folder: $set, not the official files:"
            echo "$problems"
            different=true
        fi
    done
    for folder in "$1"/imagenette2*; do
        [ -d "$folder/train" ] || continue
        found_any=true
        counts="$(images_in "$folder/train") images to train and $(images_in "$folder/val") to validate"
        if [ "$counts" = "9469 images to train and 3925 to validate" ]; then
            echo "$folder: imagenette, $counts, as many as the official archive has; their bytes were not checked"
        else
            echo "$folder: imagenette, not the official files: $counts, expected 9469 and 3925"
            different=true
        fi
    done
    $found_any || fail "$1: holds none of mnist, fashion-mnist, cifar10 and imagenette"
    ! $different
}

download() { # address, file
    address=$1
    [ -z "${FROSTLINE_MIRROR:-}" ] || address=$FROSTLINE_MIRROR/${1##*/}
    echo "fetching $address"
    if command -v curl >/dev/null 2>&1; then
        curl --fail --location --silent --show-error --retry 3 --connect-timeout 30 --speed-limit 1000 \
            --speed-time 60 --output "$2" "$address"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --tries=4 --timeout=60 --output-document="$2" "$address"
    else
        fail "fetching needs curl or wget"
    fi || fail "$address: cannot be fetched"
}

fetch_idx() { # set, folder, address
    files=$(sed -n "s/^$1 \([^ ]*\).*/\1/p" "$official_files")
    for file in $files; do
        download "$3/$file.gz" "$scratch/$file.gz"
    done
    problems=$(differences "$1" "$scratch")
    [ -z "$problems" ] || fail "$problems"
    mkdir -p "$2"
    for file in $files; do
        mv "$scratch/$file.gz" "$2/"
        rm -f "$2/$file" # would be read in place of what was fetched
    done
}

fetch_archive() { # address, program that gives the checksum, checksum, destination, folder in the archive
    archive=$scratch/${1##*/}
    download "$1" "$archive"
    found=$("$2" "$archive" | cut -d ' ' -f 1)
    [ "$found" = "$3" ] || fail "${1##*/}: the checksum is $found, expected $3"
    tar -xzf "$archive" -C "$scratch"
    rm -rf "${4:?}/$5"
    mv "$scratch/$5" "$4/$5"
    rm "$archive"
}

fetch() { # set, destination
    case $1 in
        mnist) fetch_idx mnist "$2/mnist" https://ossci-datasets.s3.amazonaws.com/mnist ;;
        fashion-mnist)
            fetch_idx fashion-mnist "$2/fashion-mnist" http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
            ;;
        cifar10)
            fetch_archive https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz sha256sum "$cifar10_archive" "$2" \
                cifar-10-batches-bin
            ;;
        imagenette)
            fetch_archive https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz md5sum "$imagenette_archive_md5" \
                "$2" imagenette2
            ;;
    esac
    echo "$1: is in $2"
}

case ${1:-} in
    -h | --help) usage; exit ;;
    --verify)
        [ $# -eq 2 ] || misused
        verify "$2"
        exit
        ;;
    "" | -*) misused ;;
esac
destination=$1
shift
[ $# -gt 0 ] || set -- mnist fashion-mnist cifar10
for name in "$@"; do
    case $name in
        mnist | fashion-mnist | cifar10 | imagenette) ;;
        *) fail "there is no data set named \"$name\", expected one of: mnist, fashion-mnist, cifar10, imagenette" ;;
    esac
done
mkdir -p "$destination"
# On the same disk, so that what is complete is moved there in one step.
scratch=$(mktemp -d "$destination/.fetch-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT PIPE TERM
for name in "$@"; do
    fetch "$name" "$destination"
done
