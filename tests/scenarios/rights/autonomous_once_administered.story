# With an administrator, the company needs the operator no more, and the operator names no other.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
Given Diane administers Forges
When the operator declares Zoe first administrator of Forges -> AlreadyAdministered
When Diane invites Zoe to Forges as an administrator
When Zoe opens the last link
Then Zoe administers Forges now
