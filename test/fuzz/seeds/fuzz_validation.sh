# fuzz_validation.sh DIR: the golden schemas in wire bytes, each with a few statistics behind it
set -e
out=${1:?}
for f in test/data/golden/schema_text/*.pb; do
	size=$(wc -c <"$f")
	[ "$size" -lt 4000 ] || continue
	{
		printf "\\$(printf %03o $((size % 256)))\\$(printf %03o $((size / 256)))"
		cat "$f"
		# one example; a feature "x", FLOAT, one value present
		printf '\012\034\020\001\032\030\010\001\022\014\012\006\010\001\050\001\100\001\051\0\0\0\0\062\003\012\001x'
	} >"$out/$(basename "$f")"
done
