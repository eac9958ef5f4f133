use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn text_is_canonical() {
    for (text, canonical) in [
        ("0.00000000", "0"),
        ("-0", "0"),
        ("0.91974100", "0.919741"),
        ("1200", "1200"),
        ("1200.00", "1200"),
        (".5", "0.5"),
        ("7.", "7"),
        ("1e-8", "0.00000001"),
        ("1.25E+3", "1250"),
        ("120e-1", "12"),
        ("-2.50e0", "-2.5"),
        ("00012.30", "12.3"),
        ("102296.24270417747448132256", "102296.24270417747448132256"),
        ("-999999999999999999", "-999999999999999999"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
        ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
    ] {
        assert_eq!(decimal(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn what_is_no_number_is_malformed() {
    for text in
        ["", "-", ".", "+1", " 1", "1 ", "1,0", "1.2.3", "1e", "1e+", "1e99999", "NaN", "Infinity", "0x10"]
    {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Malformed), "{text}");
    }
    assert_eq!("1".repeat(97).parse::<Decimal>(), Err(DecimalError::Malformed));
}

#[test]
fn m31_an_amount_that_does_not_fit_is_an_error_and_never_rounded() {
    for text in [
        "170141183460469231731687303715884105728",
        "1e39",
        "1e-39",
        "0.000000000000000000000000000000000000001",
        "123456789012345678901234567890.1234567891",
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Overflow), "{text}");
    }
    let large = decimal("170141183460469231731687303715884105727");
    assert_eq!(large.checked_add(Decimal::ONE), Err(DecimalError::Overflow));
    assert_eq!(large.checked_add(decimal("0.1")), Err(DecimalError::Overflow));
    assert_eq!(
        large.checked_mul(decimal("0.1")).unwrap().to_string(),
        "17014118346046923173168730371588410572.7"
    );
    assert_eq!(large.checked_mul(decimal("1.1")), Err(DecimalError::Overflow));
}

#[test]
fn m31_a_tenth_and_two_tenths_are_three_tenths() {
    assert_eq!(decimal("0.1").checked_add(decimal("0.2")).unwrap(), decimal("0.3"));
}

#[test]
fn rounding_is_what_the_caller_named() {
    let two_thirds = |rounding| decimal("2").checked_div_to(decimal("3"), 2, rounding).unwrap().to_string();
    assert_eq!(two_thirds(Rounding::Down), "0.66");
    assert_eq!(two_thirds(Rounding::Up), "0.67");
    assert_eq!(two_thirds(Rounding::HalfEven), "0.67");
    assert_eq!(decimal("0.125").rounded(2, Rounding::HalfEven).unwrap().to_string(), "0.12");
    assert_eq!(decimal("0.375").rounded(2, Rounding::HalfEven).unwrap().to_string(), "0.38");
    assert_eq!(decimal("-0.121").rounded(2, Rounding::Up).unwrap().to_string(), "-0.13");
    assert_eq!(
        Decimal::ONE.checked_div_to(Decimal::ZERO, 2, Rounding::Down),
        Err(DecimalError::DivisionByZero)
    );
}

#[test]
fn a_rounded_product_may_have_an_exact_product_that_does_not_fit() {
    let amount = decimal("123456789.123456789012345678");
    let price = decimal("98765.432109876543");
    assert_eq!(amount.checked_mul(price), Err(DecimalError::Overflow));
    let value = amount.checked_mul_to(price, 2, Rounding::HalfEven).unwrap();
    assert_eq!(value.to_string(), "12193263124676.12");
}

#[test]
fn far_apart_values_compare() {
    let large = decimal("170141183460469231731687303715884105727");
    let small = decimal("0.00000000000000000000000000000000000001");
    assert!(large > small);
    assert!(large.checked_neg().unwrap() < small);
    assert!(small.checked_neg().unwrap() < small);
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0u32..=127, 0u8..=38)
        .prop_map(|(mantissa, shift, scale)| Decimal::new(mantissa >> shift, scale).unwrap())
}

#[test]
fn numbers_around_the_length_that_is_read_in_one_pass_are_exact() {
    for text in [
        "9999999999999999999",
        "999999999999999999",
        "-999999999999999999",
        "0.999999999999999999",
        "99999999999999999.9",
        "-9.99999999999999999",
        "18446744073709551616",
    ] {
        assert_eq!(Decimal::parse(text.as_bytes()).unwrap().to_string(), text);
    }
    for text in [".", "-", "-.", "1.2.3", "", "1-", "0x1", "000000000000000000.."] {
        assert_eq!(Decimal::parse(text.as_bytes()), Err(DecimalError::Malformed), "{text}");
    }
}

proptest! {
    #[test]
    fn text_round_trips(value in any_decimal()) {
        prop_assert_eq!(value.to_string().parse::<Decimal>().unwrap(), value);
    }

    #[test]
    fn parsing_never_panics(text in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = Decimal::parse(&text);
    }

    #[test]
    fn numbers_alone_never_panic(text in "-?[0-9]{0,60}(\\.[0-9]{0,60})?([eE][+-]?[0-9]{0,5})?") {
        let _ = text.parse::<Decimal>();
    }

    #[test]
    fn short_texts_are_read_like_long_ones(
        text in prop_oneof!["-?[0-9]{0,12}(\\.[0-9]{0,12})?", "-?[0-9]{0,10}[.0-9/:e-]{0,3}[0-9]{0,9}"]
    ) {
        prop_assert_eq!(Decimal::parse(text.as_bytes()), Decimal::parse_long(text.as_bytes()), "{}", text);
    }

    #[test]
    fn any_byte_among_digits_is_read_like_long_texts(at in 0usize..8, byte in any::<u8>()) {
        let mut text = *b"12345678";
        text[at] = byte;
        prop_assert_eq!(Decimal::parse(&text), Decimal::parse_long(&text));
    }

    #[test]
    fn sums_agree_with_integers(left in any::<i64>(), right in any::<i64>(), scale in 0u8..19) {
        let sum = Decimal::new(left.into(), scale).unwrap().checked_add(Decimal::new(right.into(), scale).unwrap());
        prop_assert_eq!(sum.unwrap(), Decimal::new(i128::from(left) + i128::from(right), scale).unwrap());
    }

    #[test]
    fn products_agree_with_integers(left in any::<i64>(), right in any::<i64>(), a in 0u8..19, b in 0u8..19) {
        let product = Decimal::new(left.into(), a).unwrap().checked_mul(Decimal::new(right.into(), b).unwrap());
        prop_assert_eq!(product.unwrap(), Decimal::new(i128::from(left) * i128::from(right), a + b).unwrap());
    }

    #[test]
    fn a_quotient_times_its_divisor_is_within_one_step(left in any::<i64>(), right in any::<i64>(), scale in 0u8..10) {
        prop_assume!(right != 0);
        let (left, right) = (Decimal::from(left), Decimal::from(right));
        let quotient = left.checked_div_to(right, scale, Rounding::Down).unwrap();
        let rest = left.checked_sub(quotient.checked_mul(right).unwrap()).unwrap();
        let step = Decimal::new(1, scale).unwrap().checked_mul(right).unwrap();
        let magnitude = |value: Decimal| if value.is_negative() { value.checked_neg().unwrap() } else { value };
        prop_assert!(magnitude(rest) < magnitude(step));
    }

    #[test]
    fn wide_division_agrees_with_narrow(left in any_decimal(), right in any_decimal(), scale in 0u8..20) {
        let _ = left.checked_div_to(right, scale, Rounding::HalfEven);
        let _ = left.checked_mul_to(right, scale, Rounding::Up);
        let _ = left.checked_mul(right);
        prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
    }
}
