/* Parts of wide values, and wide values out of parts, word by word.
 *
 * CXXRTL writes both as expressions, each level of which copies and shifts whole values: for registers of thousands of
 * bits that are thousands of levels, more than a compiler takes in bounded time, or at all. */
namespace wide {

using namespace cxxrtl_yosys;

/* Bits start..stop. */
template <size_t STOP, size_t START, size_t BITS> static inline value<STOP - START + 1> cut(const value<BITS> &from)
{
    value<STOP - START + 1> to;
    constexpr size_t word = START / 32, shift = START % 32;
    for (size_t k = 0; k < to.chunks; k++) {
        to.data[k] = from.data[word + k] >> shift;
        if (shift != 0 && word + k + 1 < from.chunks) to.data[k] |= from.data[word + k + 1] << (32 - shift) % 32;
    }
    to.data[to.chunks - 1] &= to.msb_mask;
    return to;
}

template <size_t BITS> static inline const value<BITS> &whole(const value<BITS> &from) { return from; }
template <class E> static inline value<E::bits> whole(const expr_base<E> &from) { return static_cast<const E &>(from).val(); }

/* `from` to the bits from AT on, which are 0. */
template <size_t AT, size_t BITS, size_t TOTAL> static inline void put(value<TOTAL> &to, const value<BITS> &from)
{
    constexpr size_t word = AT / 32, shift = AT % 32;
    for (size_t k = 0; k < from.chunks; k++) {
        to.data[word + k] |= from.data[k] << shift;
        if (shift != 0 && word + k + 1 < to.chunks) to.data[word + k + 1] |= from.data[k] >> (32 - shift) % 32;
    }
}

template <size_t END, size_t TOTAL> static inline void place(value<TOTAL> &) {}
template <size_t END, size_t TOTAL, class First, class... Rest>
static inline void place(value<TOTAL> &to, const First &first, const Rest &... rest)
{
    put<END - First::bits>(to, whole(first));
    place<END - First::bits>(to, rest...);
}

/* The first one has the high bits. */
template <class... Part> static inline value<(Part::bits + ...)> join(const Part &... parts)
{
    value<(Part::bits + ...)> to;
    place<(Part::bits + ...)>(to, parts...);
    return to;
}

} // namespace wide
