use super::*;
use proptest::prelude::*;

fn right() -> NewUser<'static> {
    NewUser {
        user_name: " Shop12 ",
        password: "secret-1405",
        name: "مینا رضایی",
        company: "",
        national_id: "۰۴۹۹۳۷۰۸۹۹",
        certificate_id: "12",
        access_id: "3",
        telephone: "021-88776655",
        mobile: "+989121111111",
        postal_code: "",
        email: "mina@example.ir",
        address: "تهران،\r\nخیابان آزادی",
    }
}

fn judged(new: &NewUser<'_>) -> Result<Form, u16> {
    Form::read(new, |package| package == PackageId(3)).map_err(Refusal::code)
}

fn code(new: &NewUser<'_>) -> u16 {
    judged(new).map_or_else(|code| code, |_| 0)
}

#[test]
fn a_right_form_is_kept_in_one_spelling() {
    let form = judged(&right()).ok().unwrap();
    assert_eq!(
        (form.user_name.as_str(), form.package),
        ("shop12", PackageId(3))
    );
    let expected = Person {
        name: "مینا رضایی".into(),
        company: String::new(),
        national_id: "0499370899".into(),
        certificate_id: "12".into(),
        telephone: "02188776655".into(),
        mobile: "09121111111".into(),
        postal_code: String::new(),
        email: "mina@example.ir".into(),
        address: "تهران، خیابان آزادی".into(),
    };
    assert!(form.person == expected);
}

#[test]
fn each_parameter_has_its_codes() {
    type Set = fn(&mut NewUser<'static>, &'static str);
    let long: &'static str = Box::leak("x".repeat(65_536).into_boxed_str());
    let table: &[(Set, &[(&str, u16)])] = &[
        (
            |form, value| form.user_name = value,
            &[
                ("", 303),
                (" \n", 303),
                ("shop 12", 301),
                ("shop_12", 301),
                ("<script>", 301),
                ("shop12\0", 301),
                ("=shop12", 301),
                ("shop", 1001),
                ("فروشگاه", 1001),
                ("۱۲۳۴۵", 1001),
                (long, 1001),
                ("SHOP12", 0),
            ],
        ),
        (
            |form, value| form.password = value,
            &[
                ("", 317),
                ("        ", 317),
                ("short1", 1002),
                ("12345678", 1002),
                ("abcdefgh", 1002),
                ("گذرواژه۱۲", 0),
                (long, 422),
            ],
        ),
        (
            |form, value| form.name = value,
            &[("", 305), ("\u{200b}\0", 305), ("<b>", 0), (long, 422)],
        ),
        (
            |form, value| form.company = value,
            &[("", 0), ("شرکت", 0), (long, 422)],
        ),
        (
            |form, value| form.national_id = value,
            &[
                ("", 306),
                (" \u{feff}", 306),
                ("0499370898", 307),
                ("1111111111", 307),
                (long, 307),
            ],
        ),
        (
            |form, value| form.certificate_id = value,
            &[("", 309), ("12a", 308), ("12345678901", 308), (long, 308)],
        ),
        (
            |form, value| form.access_id = value,
            &[
                ("", 316),
                ("4", 316),
                ("-3", 316),
                ("x", 316),
                ("[3]", 316),
                ("99999999999999999999", 316),
                (long, 316),
                ("۳", 0),
                (" 03 ", 0),
            ],
        ),
        (
            |form, value| form.telephone = value,
            &[
                ("", 311),
                ("88776655", 312),
                ("tel", 312),
                (long, 312),
                ("09121111111", 0),
            ],
        ),
        (
            |form, value| form.mobile = value,
            &[
                ("", 314),
                ("02188776655", 315),
                ("+14155550100", 315),
                (long, 315),
            ],
        ),
        (
            |form, value| form.postal_code = value,
            &[("", 0), ("1314567890", 0), ("131456789", 422), (long, 422)],
        ),
        (
            |form, value| form.email = value,
            &[
                ("", 310),
                ("mina", 422),
                ("mina@x.ir\r\nBcc: a@b.ir", 422),
                (long, 422),
            ],
        ),
        (
            |form, value| form.address = value,
            &[("", 313), ("\r\n", 313), (long, 422)],
        ),
    ];
    for (set, cases) in table {
        for (value, expected) in *cases {
            let mut form = right();
            set(&mut form, value);
            let shown: String = value.chars().take(20).collect();
            assert_eq!(code(&form), *expected, "{shown:?}");
        }
    }
    let mut form = right();
    (form.user_name, form.password) = ("shop12345", "SHOP12345");
    assert_eq!(code(&form), 1002, "the user name is no password");
}

#[test]
fn the_first_refusal_is_that_of_the_first_parameter() {
    type Take = fn(&mut NewUser<'static>, NewUser<'static>);
    let wrong = NewUser {
        user_name: "s",
        password: "p",
        name: "\0",
        company: "",
        national_id: "1",
        certificate_id: "x",
        access_id: "9",
        telephone: "1",
        mobile: "1",
        postal_code: "1",
        email: "x",
        address: "\0",
    };
    // From an empty form on, each parameter is given wrongly and then rightly.
    let order: &[(Take, u16, u16)] = &[
        (|form, from| form.user_name = from.user_name, 303, 1001),
        (|form, from| form.password = from.password, 317, 1002),
        (|form, from| form.name = from.name, 305, 305),
        (|form, from| form.national_id = from.national_id, 306, 307),
        (
            |form, from| form.certificate_id = from.certificate_id,
            309,
            308,
        ),
        (|form, from| form.access_id = from.access_id, 316, 316),
        (|form, from| form.telephone = from.telephone, 311, 312),
        (|form, from| form.mobile = from.mobile, 314, 315),
        (|form, from| form.email = from.email, 310, 422),
        (|form, from| form.address = from.address, 313, 313),
    ];
    let mut form = NewUser::default();
    for (take, missing, is_wrong) in order {
        assert_eq!(code(&form), *missing);
        take(&mut form, wrong);
        assert_eq!(code(&form), *is_wrong);
        take(&mut form, right());
    }
    assert_eq!(code(&form), 0);
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_fail(text in any::<String>()) {
        let all = NewUser {
            user_name: &text,
            password: &text,
            name: &text,
            company: &text,
            national_id: &text,
            certificate_id: &text,
            access_id: &text,
            telephone: &text,
            mobile: &text,
            postal_code: &text,
            email: &text,
            address: &text,
        };
        prop_assert!(Form::read(&all, |_| true).is_err());
        let name = NewUser { name: &text, address: &text, company: &text, ..right() };
        if let Ok(form) = judged(&name) {
            prop_assert!(!form.person.name.chars().any(char::is_control));
        }
    }
}
