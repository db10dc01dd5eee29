//! `op=newuser`: a reseller opens an account.

use std::borrow::Cow;

use app::NewUser;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["newuser"],
    run,
};

// Without `user` and `username`, which name the caller.
const USER_NAME: [&str; 2] = ["user_uname", "user_name"];
const PASSWORD: [&str; 2] = ["user_pass", "user_password"];
const TELEPHONE: [&str; 4] = ["tell", "tel", "telephone", "phone"];
const POSTAL_CODE: [&str; 2] = ["postalcode", "postal_code"];

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let given = |names: &[&str]| -> Cow<'_, str> {
            let text = call.params.first_of(names);
            text.unwrap_or_default()
        };
        let form = NewUser {
            user_name: &given(&USER_NAME),
            password: &given(&PASSWORD),
            name: &given(&["name"]),
            company: &given(&["company"]),
            national_id: &given(&["national_id"]),
            certificate_id: &given(&["certificate_id"]),
            access_id: &given(&["access_id"]),
            telephone: &given(&TELEPHONE),
            mobile: &given(&["mobile"]),
            postal_code: &given(&POSTAL_CODE),
            email: &given(&["email"]),
            address: &given(&["address"]),
        };
        let account = call.app.register(call.account, &form).await?;
        Ok(Reply::number(account.0))
    })
}
