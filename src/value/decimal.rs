//! Exact decimals: read from what an API wrote, written without a float, rounded half away from zero.

use rust_decimal::Decimal;
use rust_decimal::prelude::RoundingStrategy;

/// Why a text is no number that we can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It does not look like one.
    #[error("is not a number")]
    Shape,
    /// It has more digits than an exact decimal holds.
    #[error("has more than 28 digits")]
    Digits,
}

/// Powers of ten that fit 64 bits.
const TENS: [u64; 20] = {
    let mut tens = [1_u64; 20];
    let mut n = 1;
    while n < 20 {
        tens[n] = tens[n - 1] * 10;
        n += 1;
    }
    tens
};

/// Most decimals of a [`Decimal`].
pub const DECIMALS_MAX: u32 = 28;

/// The number that these bytes spell, exactly: `12`, `-0.50`, `+3`, `1.5e-3`. Blanks are not accepted.
pub fn parse(bytes: &[u8]) -> Result<Decimal, NumberError> {
    let (negative, digits) = sign(bytes);
    // Amounts have few digits: they need neither an exponent nor 128 bits.
    if digits.len() <= 18 {
        let (mut mantissa, mut scale, mut seen_point, mut count) = (0_i64, 0_u32, false, 0_u32);
        for &b in digits {
            match b {
                b'0'..=b'9' => {
                    mantissa = mantissa * 10 + i64::from(b - b'0');
                    count += 1;
                    scale += u32::from(seen_point);
                }
                b'.' if !seen_point => seen_point = true,
                _ => return parse_long(negative, digits),
            }
        }
        if count == 0 {
            return Err(NumberError::Shape);
        }
        return Ok(small(if negative { -mantissa } else { mantissa }, scale));
    }
    parse_long(negative, digits)
}

/// The same, and what is more than an exact decimal holds is rounded behind the point: computers write
/// `12.100000000000000088817841970012523` for 12.10.
pub fn rounded(bytes: &[u8]) -> Result<Decimal, NumberError> {
    match parse(bytes) {
        Err(NumberError::Digits) => shortened(bytes).ok_or(NumberError::Digits),
        other => other,
    }
}

/// The number to the digits that fit; none where those before the point do not.
fn shortened(bytes: &[u8]) -> Option<Decimal> {
    let at = bytes.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(bytes.len());
    let shift = bytes.get(at + 1..).map_or(Ok(0), exponent).ok()?;
    let point = bytes[..at].iter().position(|b| *b == b'.').unwrap_or(at);
    let whole = bytes[..point].iter().filter(|b| b.is_ascii_digit()).count();
    // Digits behind the point that an exact decimal has room for, one of them to round by.
    let room = i64::from(DECIMALS_MAX) - i64::try_from(whole).ok()? - shift.max(0);
    if room < 0 {
        return None;
    }
    let keep = usize::try_from(room.min(i64::from(DECIMALS_MAX) + shift.min(0)));
    // So small, nothing is left of it.
    let Ok(keep) = keep else { return Some(Decimal::ZERO) };
    let end = (point + 1 + keep).min(at);
    let mut text = bytes[..end].to_vec();
    text.extend_from_slice(&bytes[at..]);
    let number = parse(&text).ok()?;
    Some(round(number, number.scale().saturating_sub(1)))
}

/// The way for exponents and many digits.
fn parse_long(negative: bool, digits: &[u8]) -> Result<Decimal, NumberError> {
    let at = digits.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(digits.len());
    let exponent = match digits.get(at + 1..) {
        Some(text) => exponent(text)?,
        None => 0,
    };
    let (mut mantissa, mut scale, mut seen_point, mut count) = (0_i128, 0_i64, false, 0_usize);
    // Zeros at the end are held back: they count only when another digit follows.
    let mut zeros = 0_u32;
    for &b in &digits[..at] {
        match b {
            b'0'..=b'9' => {
                count += 1;
                scale += i64::from(seen_point);
                if b == b'0' {
                    zeros += u32::from(mantissa != 0);
                } else {
                    let ten = 10_i128.checked_pow(zeros + 1).ok_or(NumberError::Digits)?;
                    mantissa = mantissa.checked_mul(ten).ok_or(NumberError::Digits)? + i128::from(b - b'0');
                    zeros = 0;
                    if mantissa >= 1 << 96 {
                        return Err(NumberError::Digits);
                    }
                }
            }
            b'.' if !seen_point => seen_point = true,
            _ => return Err(NumberError::Shape),
        }
    }
    if count == 0 {
        return Err(NumberError::Shape);
    }
    if mantissa == 0 {
        return Ok(Decimal::ZERO);
    }
    let scale = scale - exponent - i64::from(zeros);
    let (mantissa, scale) = if scale < 0 {
        let ten = u32::try_from(-scale).ok().and_then(|n| 10_i128.checked_pow(n)).ok_or(NumberError::Digits)?;
        (mantissa.checked_mul(ten).ok_or(NumberError::Digits)?, 0)
    } else if scale > i64::from(DECIMALS_MAX) {
        return Err(NumberError::Digits);
    } else {
        (mantissa, u32::try_from(scale).map_err(|_| NumberError::Digits)?)
    };
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, scale)
        .map_err(|_| NumberError::Digits)
}

/// Whether a minus stands there, and what stands behind the sign.
fn sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, bytes.strip_prefix(b"+").unwrap_or(bytes)),
    }
}

fn exponent(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Shape);
    }
    // More than three digits are out of range whatever they are.
    let value = digits.iter().take(6).fold(0_i64, |n, b| n * 10 + i64::from(b - b'0'));
    let value = if digits.len() > 6 { i64::from(i32::MAX) } else { value };
    Ok(if negative { -value } else { value })
}

/// The number with this mantissa and scale (at most 28), put together in place.
#[inline]
pub fn small(mantissa: i64, scale: u32) -> Decimal {
    let bits = mantissa.unsigned_abs();
    let word = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
    Decimal::from_parts(word(bits), word(bits >> 32), 0, mantissa < 0, scale)
}

/// The mantissa of a number, if it is a small one, as those of amounts are.
#[inline]
pub fn small_mantissa(number: Decimal) -> Option<i64> {
    let parts = number.unpack();
    let bits = i64::try_from(u64::from(parts.lo) | (u64::from(parts.mid) << 32)).ok()?;
    if parts.hi != 0 {
        return None;
    }
    Some(if parts.negative { -bits } else { bits })
}

/// The sum, if it can be held. Those of one scale, which most are, are added as whole numbers.
#[inline]
pub fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    match add_small(a, b) {
        None => a.checked_add(b),
        sum => sum,
    }
}

/// The sum of small numbers of one scale; any others are left to [`add`].
#[inline]
pub fn add_small(a: Decimal, b: Decimal) -> Option<Decimal> {
    if a.scale() != b.scale() {
        return None;
    }
    let sum = small_mantissa(a)?.checked_add(small_mantissa(b)?)?;
    Some(small(sum, a.scale()))
}

/// Whether two numbers are equal. Those of one scale, which most are, cost two comparisons.
#[inline]
pub fn equal(a: Decimal, b: Decimal) -> bool {
    match (small_mantissa(a), small_mantissa(b)) {
        (Some(x), Some(y)) if a.scale() == b.scale() => x == y,
        (Some(0), Some(0)) => true,
        _ => a == b,
    }
}

/// Appends the number as JSON has it: no exponent, no zeros at the end.
pub fn write(number: Decimal, out: &mut Vec<u8>) {
    match small_mantissa(number) {
        Some(mantissa) => write_small(mantissa, number.scale(), out),
        None => out.extend_from_slice(number.normalize().to_string().as_bytes()),
    }
}

/// As [`write()`], of the number with this mantissa and scale.
pub fn write_small(mantissa: i64, scale: u32, out: &mut Vec<u8>) {
    if let Some(few) = few_digits(mantissa, scale) {
        return write_few(few, mantissa < 0, scale, true, out);
    }
    let (mut mantissa, mut scale) = (mantissa, scale);
    if mantissa == 0 {
        out.push(b'0');
        return;
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    write_digits(mantissa, scale, out);
}

/// Appends the number with the decimals that it has: `18.00`.
pub fn write_scaled(number: Decimal, out: &mut Vec<u8>) {
    match small_mantissa(number) {
        Some(mantissa) => match few_digits(mantissa, number.scale()) {
            Some(few) => write_few(few, mantissa < 0, number.scale(), false, out),
            None => write_digits(mantissa, number.scale(), out),
        },
        None => out.extend_from_slice(number.to_string().as_bytes()),
    }
}

/// The digits of an amount that [`write_few`] takes: with its point it has at most eight characters.
#[inline]
fn few_digits(mantissa: i64, decimals: u32) -> Option<u32> {
    let digits = u32::try_from(mantissa.unsigned_abs()).ok()?;
    (digits < 10_000_000 && decimals <= 6).then_some(digits)
}

/// Appends a number of few digits, all of which are made at once as bytes of one word; `short`: without zeros at the end.
#[inline]
fn write_few(digits: u32, negative: bool, decimals: u32, short: bool, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    // Fours of digits are split into pairs, pairs into digits; the first digit is the lowest byte.
    let fours = u64::from(digits / 10_000) | (u64::from(digits % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | ((pairs - tens * 10) << 8);
    let zeros_behind = if short { (digits.leading_zeros() / 8).min(decimals) } else { 0 };
    let zeros_before = (digits.trailing_zeros() / 8).min(7 - decimals);
    let text = (digits | 0x3030_3030_3030_3030) >> (8 * zeros_before);
    let whole = 8 - decimals - zeros_before;
    let mask = (1 << (8 * whole)) - 1;
    let text = (text & mask) | (u64::from(b'.') << (8 * whole)) | ((text & !mask) << 8);
    let length = if zeros_behind < decimals { whole + 1 + decimals - zeros_behind } else { whole };
    // Written whole and cut, which costs less than a copy of so many bytes.
    let start = out.len();
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(start + length as usize);
}

#[inline]
fn write_digits(mantissa: i64, decimals: u32, out: &mut Vec<u8>) {
    if mantissa < 0 {
        out.push(b'-');
    }
    let mut small = mantissa.unsigned_abs();
    // A u64 has at most 20 digits, and 28 decimals may need zeros before them.
    let mut digits = [b'0'; 32];
    let mut at = digits.len();
    let mut digit = |at: &mut usize, small: &mut u64| {
        *at -= 1;
        digits[*at] = b"0123456789"[(*small % 10) as usize];
        *small /= 10;
    };
    for _ in 0..decimals {
        digit(&mut at, &mut small);
    }
    let point = at;
    digit(&mut at, &mut small);
    while small > 0 {
        digit(&mut at, &mut small);
    }
    out.extend_from_slice(&digits[at..point]);
    if decimals > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[point..]);
    }
}

/// The number without the zeros behind it that say nothing, but with at least `digits` decimals: as texts show it.
pub fn shown(number: Decimal, digits: u32) -> Decimal {
    let mut short = number.normalize();
    if short.scale() < digits {
        short.rescale(digits);
    }
    short
}

/// The number as a person reads it, with the decimals that it has.
pub fn show(number: Decimal) -> String {
    number.to_string()
}

/// Rounded to `digits` decimals, half away from zero.
pub fn round(number: Decimal, digits: u32) -> Decimal {
    if number.scale() <= digits {
        return number;
    }
    let cut = (number.scale() - digits) as usize;
    if let (Some(mantissa), Some(ten)) =
        (small_mantissa(number), TENS.get(cut).and_then(|ten| i64::try_from(*ten).ok()))
    {
        return small(half_away_small(mantissa, ten), digits);
    }
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// `a / b`, rounded once, half away from zero; none when `b` is zero, the result too large, or more decimals are
/// asked than there are.
#[inline]
pub fn divide_and_round(a: Decimal, b: Decimal, digits: u32) -> Option<Decimal> {
    // Amounts are small: one integer division replaces a long one and its rounding.
    if let (Some(above), Some(below @ 1..)) = (small_mantissa(a), small_mantissa(b))
        && digits <= DECIMALS_MAX
        && let Some(shift) = (b.scale() + digits).checked_sub(a.scale())
        && let Some(&ten) = TENS.get(shift as usize)
        && let Some(numerator) = i64::try_from(ten).ok().and_then(|ten| above.checked_mul(ten))
    {
        return Some(small(half_away_small(numerator, below), digits));
    }
    divide_and_round_large(a, b, digits)
}

/// As [`divide_and_round`], for any numbers.
#[inline(never)]
fn divide_and_round_large(a: Decimal, b: Decimal, digits: u32) -> Option<Decimal> {
    if b.is_zero() || digits > DECIMALS_MAX {
        return None;
    }
    let shift = i64::from(b.scale()) + i64::from(digits) - i64::from(a.scale());
    if let (Some(above), Some(below)) = (small_mantissa(a), small_mantissa(b))
        && let Some(&ten) = usize::try_from(shift.unsigned_abs()).ok().and_then(|n| TENS.get(n))
    {
        let (above, below, ten) = (i128::from(above), i128::from(below), i128::from(ten));
        let (numerator, denominator) = if shift >= 0 { (above * ten, below) } else { (above, below * ten) };
        if let Ok(quotient) = i64::try_from(half_away(numerator, denominator)) {
            return Some(small(quotient, digits));
        }
    }
    a.checked_div(b).map(|q| round(q, digits))
}

fn half_away(n: i128, d: i128) -> i128 {
    let (quotient, rest) = (n / d, n % d);
    if rest.unsigned_abs() * 2 >= d.unsigned_abs() {
        quotient + if (n < 0) == (d < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

fn half_away_small(n: i64, d: i64) -> i64 {
    // One piece, and no discount: most divisions of amounts need none.
    if n == 0 || d == 1 {
        return n;
    }
    let (quotient, rest) = (n / d, n % d);
    // As `2 * rest >= d`, without becoming too large.
    if rest.unsigned_abs() >= d.unsigned_abs() - rest.unsigned_abs() {
        quotient + if (n < 0) == (d < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(number: Decimal) -> String {
        let mut out = Vec::new();
        write(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn noise_behind_the_digits_that_fit_is_rounded() {
        for (text, number) in [
            ("12.100000000000000088817841970012523", "12.10000000000000008881784197"),
            ("-0.1000000000000000055511151231257827021", "-0.100000000000000005551115123"),
            ("1e-40", "0"),
            ("9.9999999999999999999999999999999", "10"),
        ] {
            let read = rounded(text.as_bytes()).unwrap();
            assert_eq!(round(read, 20), round(number.parse().unwrap(), 20), "{text}");
        }
        for text in ["1e40", "123456789012345678901234567890", "1.2.3", ""] {
            assert!(rounded(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (text, want) in [
            ("0", "0"),
            ("-0", "0"),
            ("18.00", "18"),
            ("-4.13", "-4.13"),
            ("8.256198333333334", "8.256198333333334"),
            ("1e3", "1000"),
            ("1.50E-5", "0.000015"),
            ("100000000000000000000", "100000000000000000000"),
            ("0.1000000000000000000000000000000000000", "0.1"),
            ("-0.0005", "-0.0005"),
        ] {
            assert_eq!(json(parse(text.as_bytes()).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_told() {
        for text in ["", "-", ".", "1,5", "1e", "abc", "1.2.3", "0x10", "1e+", "--1", "NaN"] {
            assert_eq!(parse(text.as_bytes()), Err(NumberError::Shape), "{text}");
        }
        for text in ["1e40", "1e-40", "123456789012345678901234567890.5", "1e999999999"] {
            assert_eq!(parse(text.as_bytes()), Err(NumberError::Digits), "{text}");
        }
    }

    #[test]
    fn halves_go_away_from_zero() {
        let number = |t: &str| parse(t.as_bytes()).unwrap();
        assert_eq!(round(number("0.00005"), 4), number("0.0001"));
        assert_eq!(round(number("-2.345"), 2), number("-2.35"));
        assert_eq!(round(number("2.344999"), 2), number("2.34"));
        assert_eq!(divide_and_round(number("1"), number("3"), 4), Some(number("0.3333")));
        assert_eq!(divide_and_round(number("-0.5"), number("1"), 0), Some(number("-1")));
        assert_eq!(divide_and_round(number("1"), number("0"), 4), None);
    }

    proptest! {
        #[test]
        fn written_and_read_is_the_same(mantissa in any::<i64>(), scale in 0_u32..28) {
            let number = Decimal::new(mantissa, scale);
            prop_assert_eq!(parse(json(number).as_bytes()).unwrap(), number);
        }

        #[test]
        fn decimals_are_kept_where_they_are_shown(mantissa in any::<i64>(), scale in 0_u32..28) {
            let number = Decimal::new(mantissa, scale);
            let mut out = Vec::new();
            write_scaled(number, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }

        #[test]
        fn few_digits_are_written_as_many(mantissa in -20_000_000_i64..20_000_000, scale in 0_u32..8) {
            let number = Decimal::new(mantissa, scale);
            let mut out = Vec::new();
            write_scaled(number, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
            prop_assert_eq!(json(number), number.normalize().to_string());
        }

        #[test]
        fn sums_are_those_of_the_long_way(a in any::<i64>(), b in any::<i64>(), sa in 0_u32..6, sb in 0_u32..6) {
            let (a, b) = (Decimal::new(a, sa), Decimal::new(b, sb));
            prop_assert_eq!(add(a, b), a.checked_add(b));
        }

        #[test]
        fn short_ways_agree_with_long_ones(a in any::<i32>(), b in 1_i32.., sa in 0_u32..6, sb in 0_u32..6, n in 0_u32..6) {
            let (a, b) = (Decimal::new(a.into(), sa), Decimal::new(b.into(), sb));
            let long = (a / b).round_dp_with_strategy(n, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(divide_and_round(a, b, n), Some(long));
            prop_assert_eq!(round(a, n), a.round_dp_with_strategy(n, RoundingStrategy::MidpointAwayFromZero));
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&bytes);
        }
    }
}
