# Not even a company's own user declares its first administrator.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
Given Anna is a user of Forges
When Anna declares Anna first administrator of Forges -> NotAllowed
