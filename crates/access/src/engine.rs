//! The only module that knows Cedar: policies in, verdicts out.
//!
//! A question is asked with three entities (reader, thing, action) made afresh; nothing is kept between questions.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Effect, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode,
    Validator,
};
use comity_stix::marking::Tlp;

use crate::action::{Action, Resource};
use crate::label::LabelSet;
use crate::party::{PartyId, PrincipalId};
use crate::policies::{PolicyError, Sources};
use crate::reader::{Place, Reader, Role};

/// What one policy is called and says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its `@id`, unique.
    pub id: String,
    /// Its `@code`, stable, for programs.
    pub code: String,
    /// Its `@text`, completing "yes, because" or "no, because".
    pub text: String,
    /// True if it closes, false if it opens.
    pub forbids: bool,
}

/// What the policies said to one question.
#[derive(Debug)]
pub(crate) enum Verdict<'a> {
    /// At least one permits, none forbids.
    Permit(Vec<&'a Rule>),
    /// At least one forbids.
    Forbid(Vec<&'a Rule>),
    /// None permits.
    Silent,
    /// The question could not be put, or a policy failed on it. Never a yes: Cedar leaves a failing policy out of
    /// account, which for a forbidding one would open what it closes.
    Failed(String),
}

/// One action as the schema has it, and the policies whose scope it is in. The others could never apply; leaving them
/// out halves the time of a decision.
#[derive(Debug)]
struct Asked {
    entity: Entity,
    policies: PolicySet,
}

/// Parsed and validated policies.
#[derive(Debug)]
pub(crate) struct Engine {
    authorizer: Authorizer,
    rules: HashMap<PolicyId, Rule>,
    asked: HashMap<Action, Asked>,
    types: Types,
}

impl Engine {
    pub(crate) fn new(sources: &Sources<'_>) -> Result<Self, PolicyError> {
        let (schema, _) = Schema::from_cedarschema_str(sources.schema)
            .map_err(|error| PolicyError::Schema(error.to_string()))?;
        let mut policies = PolicySet::new();
        let mut rules = HashMap::new();
        let mut names = HashSet::new();
        for (file, text) in &sources.policies {
            let refuse = |message: String| PolicyError::Parse {
                file: (*file).to_owned(),
                message,
            };
            let parsed: PolicySet = text
                .parse()
                .map_err(|error: cedar_policy::ParseErrors| refuse(error.to_string()))?;
            for policy in parsed.policies() {
                let rule = rule_of(policy).map_err(refuse)?;
                if !names.insert(rule.id.clone()) {
                    return Err(refuse(format!("two policies have the id `{}`", rule.id)));
                }
                let id = PolicyId::new(&rule.id);
                policies
                    .add(policy.new_id(id.clone()))
                    .map_err(|error| refuse(error.to_string()))?;
                rules.insert(id, rule);
            }
        }
        let report = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !report.validation_passed_without_warnings() {
            return Err(PolicyError::Invalid(report.to_string()));
        }
        let types = Types::new().map_err(PolicyError::Schema)?;
        let asked = by_action(&schema, &types, &policies)?;
        Ok(Self {
            authorizer: Authorizer::new(),
            rules,
            asked,
            types,
        })
    }

    /// Every rule, sorted by id.
    pub(crate) fn rules(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules
    }

    pub(crate) fn ask(
        &self,
        holder: &PartyId,
        reader: &Reader,
        action: Action,
        resource: Resource<'_>,
    ) -> Verdict<'_> {
        let Some(asked) = self.asked.get(&action) else {
            return Verdict::Failed(format!("no action `{action}`"));
        };
        let (request, entities) = match self.question(holder, reader, &asked.entity, resource) {
            Ok(question) => question,
            Err(message) => return Verdict::Failed(message),
        };
        let response = self
            .authorizer
            .is_authorized(&request, &asked.policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Verdict::Failed(error.to_string());
        }
        let mut rules: Vec<&Rule> = response
            .diagnostics()
            .reason()
            .filter_map(|id| self.rules.get(id))
            .collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        match response.decision() {
            cedar_policy::Decision::Allow => Verdict::Permit(rules),
            cedar_policy::Decision::Deny if rules.is_empty() => Verdict::Silent,
            cedar_policy::Decision::Deny => Verdict::Forbid(rules),
        }
    }

    fn question(
        &self,
        holder: &PartyId,
        reader: &Reader,
        action: &Entity,
        resource: Resource<'_>,
    ) -> Result<(Request, Entities), String> {
        let types = &self.types;
        let place = match resource {
            Resource::Record {
                place: Place::Collection(key),
                ..
            }
            | Resource::Collection(key) => Some(key),
            Resource::Record {
                place: Place::Register,
                ..
            }
            | Resource::Node => None,
        };
        let mut context = vec![("holder".to_owned(), types.party(holder))];
        if let Some(key) = place {
            context.push(("collection".to_owned(), value(types.collection(key))));
        }
        let context = Context::from_pairs(context).map_err(|error| error.to_string())?;
        let reader = types.reader(reader, place)?;
        let thing = match resource {
            Resource::Record { label, author, .. } => types.record(label, author)?,
            Resource::Collection(key) => Entity::with_uid(types.collection(key)),
            Resource::Node => Entity::with_uid(uid(&types.node, "node")),
        };
        let request = Request::new(reader.uid(), action.uid(), thing.uid(), context, None)
            .map_err(|error| error.to_string())?;
        let entities = Entities::from_entities([reader, thing, action.clone()], None)
            .map_err(|error| error.to_string())?;
        Ok((request, entities))
    }
}

fn rule_of(policy: &cedar_policy::Policy) -> Result<Rule, String> {
    let annotation = |key: &str| {
        policy
            .annotation(key)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| format!("a policy has no @{key}: {policy}"))
    };
    Ok(Rule {
        id: annotation("id")?,
        code: annotation("code")?,
        text: annotation("text")?,
        forbids: policy.effect() == Effect::Forbid,
    })
}

/// Each action with the groups it is in, and the policies whose scope it is in.
fn by_action(
    schema: &Schema,
    types: &Types,
    policies: &PolicySet,
) -> Result<HashMap<Action, Asked>, PolicyError> {
    let refuse = |message: String| PolicyError::Schema(message);
    let entities = schema
        .action_entities()
        .map_err(|error| refuse(error.to_string()))?;
    let mut asked = HashMap::new();
    for action in Action::ALL {
        let name = uid(&types.action, action.word());
        let entity = entities
            .get(&name)
            .ok_or_else(|| refuse(format!("action `{action}` is missing")))?;
        let meant = |scope: &EntityUid| *scope == name || entities.is_ancestor_of(scope, &name);
        let applies = |policy: &&cedar_policy::Policy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(scope) => scope == name,
            ActionConstraint::In(scopes) => scopes.iter().any(meant),
        };
        let chosen = policies.policies().filter(applies).cloned();
        let policies =
            PolicySet::from_policies(chosen).map_err(|error| refuse(error.to_string()))?;
        asked.insert(
            action,
            Asked {
                entity: entity.clone(),
                policies,
            },
        );
    }
    Ok(asked)
}

/// The schema's type names, parsed once.
#[derive(Debug)]
struct Types {
    action: EntityTypeName,
    reader: EntityTypeName,
    record: EntityTypeName,
    node: EntityTypeName,
    collection: EntityTypeName,
    party: EntityTypeName,
    person: EntityTypeName,
    exercise: EntityTypeName,
    role: EntityTypeName,
    tlp: EntityTypeName,
}

impl Types {
    fn new() -> Result<Self, String> {
        let name = |text: &str| {
            text.parse::<EntityTypeName>()
                .map_err(|error: cedar_policy::ParseErrors| error.to_string())
        };
        Ok(Self {
            action: name("Action")?,
            reader: name("Reader")?,
            record: name("Record")?,
            node: name("Node")?,
            collection: name("Collection")?,
            party: name("Party")?,
            person: name("Person")?,
            exercise: name("Exercise")?,
            role: name("Role")?,
            tlp: name("Tlp")?,
        })
    }

    fn reader(&self, reader: &Reader, place: Option<&str>) -> Result<Entity, String> {
        let granted = |grants: &std::collections::BTreeSet<String>| {
            let key = place.filter(|key| grants.contains(*key));
            RestrictedExpression::new_set(key.map(|key| value(self.collection(key))))
        };
        let mut attributes = HashMap::from([
            ("person".to_owned(), self.person(reader.principal())),
            ("role".to_owned(), self.role(reader.role())),
            ("party".to_owned(), self.party(reader.party())),
            (
                "community".to_owned(),
                RestrictedExpression::new_bool(reader.community()),
            ),
            ("reads".to_owned(), granted(&reader.grants().read)),
            ("writes".to_owned(), granted(&reader.grants().write)),
        ]);
        if let Some(party) = reader.entity_of() {
            attributes.insert("clientOf".to_owned(), self.party(party));
        }
        if let Some(name) = reader.exercise() {
            attributes.insert("exercise".to_owned(), value(uid(&self.exercise, name)));
        }
        Entity::new(uid(&self.reader, "reader"), attributes, HashSet::new())
            .map_err(|error| error.to_string())
    }

    fn record(&self, label: &LabelSet, author: Option<&PrincipalId>) -> Result<Entity, String> {
        let audience = label.audience();
        let mut attributes = HashMap::from([
            ("tlp".to_owned(), self.tlp(label.tlp())),
            ("originator".to_owned(), self.party(label.originator())),
            (
                "parties".to_owned(),
                RestrictedExpression::new_set(
                    audience.parties.iter().map(|party| self.party(party)),
                ),
            ),
            (
                "persons".to_owned(),
                RestrictedExpression::new_set(
                    audience.persons.iter().map(|person| self.person(person)),
                ),
            ),
        ]);
        if let Some(person) = label.author().or(author) {
            attributes.insert("author".to_owned(), self.person(person));
        }
        if let Some(name) = label.exercise() {
            attributes.insert("exercise".to_owned(), value(uid(&self.exercise, name)));
        }
        Entity::new(uid(&self.record, "record"), attributes, HashSet::new())
            .map_err(|error| error.to_string())
    }

    fn collection(&self, key: &str) -> EntityUid {
        uid(&self.collection, key)
    }

    fn party(&self, party: &PartyId) -> RestrictedExpression {
        value(uid(&self.party, party.as_str()))
    }

    fn person(&self, person: &PrincipalId) -> RestrictedExpression {
        value(uid(&self.person, person.as_str()))
    }

    fn role(&self, role: Role) -> RestrictedExpression {
        value(uid(&self.role, role.word()))
    }

    fn tlp(&self, tlp: Tlp) -> RestrictedExpression {
        value(uid(&self.tlp, tlp.word()))
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn value(uid: EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid)
}
