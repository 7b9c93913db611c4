# The link that was sent again by itself does what the first would have done.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
When the operator declares Zoe first administrator of Forges
When 4 days pass
When Zoe opens the last link
Then Zoe administers Forges now
When Zoe opens the last link -> UnusableLink
