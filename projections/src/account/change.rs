//! How what happens to an account is folded into what changes in its row.

use fido_domain::account::{AccountEvent, Preference, ProfilePart, Role};
use fido_domain::{Private, Recorded};
use time::OffsetDateTime;

use crate::rows::{ERASED, stored};

/// Something that need not be given: not mentioned, taken away, or what it is now.
pub(super) type Mention = Option<Option<String>>;

/// What has happened to one account.
#[derive(Default)]
pub(super) struct Change {
    pub(super) registered_at: Option<OffsetDateTime>,
    pub(super) sequence: i64,
    pub(super) erased_at: Option<OffsetDateTime>,
    /// Roles of the row that are gone, and those that come behind the ones that stay.
    pub(super) revoked: Vec<Role>,
    pub(super) granted: Vec<Role>,
    /// Identities that come behind those of the row.
    pub(super) linked: Vec<String>,
    pub(super) email: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) company_name: Mention,
    pub(super) business_type: Mention,
    pub(super) company_size: Mention,
    pub(super) monthly_revenue: Mention,
    pub(super) goals: Mention,
    pub(super) model: Mention,
    pub(super) response_style: Mention,
    pub(super) temperature: Mention,
    pub(super) save_history: Mention,
}

impl Change {
    /// Takes an event of the account into account.
    pub(super) fn take(&mut self, recorded: &Recorded, event: AccountEvent) {
        let at = recorded.recorded_at;
        self.sequence = recorded.sequence;
        match event {
            AccountEvent::AccountRegistered {
                email,
                display_name,
                roles,
            } => {
                self.registered_at = Some(at);
                self.granted = roles;
                self.email = Some(stored(&email));
                self.display_name = Some(stored(&display_name));
            }
            AccountEvent::AccountErased {} => self.erase(at),
            AccountEvent::RoleGranted { role, .. } => self.granted.push(role),
            AccountEvent::RoleRevoked { role, .. } => self.revoke(role),
            AccountEvent::ProfileRevised {
                display_name,
                company_name,
                business_type,
                company_size,
                monthly_revenue,
                goals,
                cleared,
            } => {
                for part in cleared {
                    *self.part(part) = Some(None);
                }
                if let Some(display_name) = &display_name {
                    self.display_name = Some(stored(display_name));
                }
                mention(&mut self.company_name, sealed(company_name.as_ref()));
                mention(&mut self.business_type, sealed(business_type.as_ref()));
                let company_size = company_size.map(|size| size.as_str());
                mention(&mut self.company_size, company_size);
                let revenue = sealed(monthly_revenue.as_ref());
                mention(&mut self.monthly_revenue, revenue);
                mention(&mut self.goals, sealed(goals.as_ref()));
            }
            AccountEvent::PreferencesChosen {
                model,
                response_style,
                temperature,
                save_history,
                cleared,
            } => {
                for preference in cleared {
                    *self.preference(preference) = Some(None);
                }
                mention(&mut self.model, model);
                let style = response_style.map(|style| style.as_str());
                mention(&mut self.response_style, style);
                mention(&mut self.temperature, temperature);
                let save_history = save_history.map(|save| save.to_string());
                mention(&mut self.save_history, save_history);
            }
            // Stand in rows of their own.
            AccountEvent::ConsentGiven { .. } | AccountEvent::ConsentWithdrawn { .. } => {}
            AccountEvent::IdentityLinked { provider, .. } => self.linked.push(provider.into()),
        }
    }

    /// The key goes after the event; nothing is shown in between.
    fn erase(&mut self, at: OffsetDateTime) {
        *self = Self {
            registered_at: self.registered_at,
            sequence: self.sequence,
            erased_at: Some(at),
            revoked: std::mem::take(&mut self.revoked),
            granted: std::mem::take(&mut self.granted),
            linked: Vec::new(),
            email: Some(ERASED.to_owned()),
            display_name: Some(ERASED.to_owned()),
            company_name: Some(None),
            business_type: Some(None),
            company_size: Some(None),
            monthly_revenue: Some(None),
            goals: Some(None),
            model: Some(None),
            response_style: Some(None),
            temperature: Some(None),
            save_history: Some(None),
        };
    }

    fn revoke(&mut self, role: Role) {
        let before = self.granted.len();
        self.granted.retain(|granted| *granted != role);
        if self.granted.len() == before {
            self.revoked.push(role);
        }
    }

    fn part(&mut self, part: ProfilePart) -> &mut Mention {
        match part {
            ProfilePart::CompanyName => &mut self.company_name,
            ProfilePart::BusinessType => &mut self.business_type,
            ProfilePart::CompanySize => &mut self.company_size,
            ProfilePart::MonthlyRevenue => &mut self.monthly_revenue,
            ProfilePart::Goals => &mut self.goals,
        }
    }

    fn preference(&mut self, preference: Preference) -> &mut Mention {
        match preference {
            Preference::Model => &mut self.model,
            Preference::ResponseStyle => &mut self.response_style,
            Preference::Temperature => &mut self.temperature,
            Preference::SaveHistory => &mut self.save_history,
        }
    }
}

/// Sets `mention` to what is `given`, if something is.
fn mention(mention: &mut Mention, given: Option<impl Into<String>>) {
    if let Some(given) = given {
        *mention = Some(Some(given.into()));
    }
}

fn sealed(content: Option<&Private<String>>) -> Option<String> {
    content.map(stored)
}
